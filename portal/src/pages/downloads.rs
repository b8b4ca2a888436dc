//! Licences and downloads.

use std::sync::Arc;

use axum::{extract::State, response::Html};
use http::Method;
use maud::{Markup, html};
use uuid::Uuid;

use super::{format, layout::section};
use crate::{
    app::App,
    ctx::{Ctx, Permission},
    http::{Access, Path, Routes},
    licensing::License,
    problem::Problem,
    releases::Release,
};

pub(super) fn routes(routes: Routes) -> Routes {
    let (licenses, downloads) =
        (Access::Member(Permission::LicensesRead), Access::Member(Permission::Download));
    routes.on(Method::GET, "/organisations/{org}/licenses", licenses, list_licenses).on(
        Method::GET,
        "/organisations/{org}/downloads",
        downloads,
        list_downloads,
    )
}

async fn list_licenses(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(org): Path<Uuid>,
) -> Result<Html<String>, Problem> {
    let licenses = app.licensing.list(&ctx, org).await?;
    let content = html! {
        @if licenses.is_empty() { p { "None yet: a licence follows the payment of an order, or a trial." } }
        @for license in &licenses { (card(org, license)) }
    };
    Ok(section(&ctx, org, "/licenses", "Licences", content))
}

fn card(org: Uuid, license: &License) -> Markup {
    let text = |key: &str| license.editions.first().and_then(|e| e.claims[key].as_str()).unwrap_or_default();
    let newest = license.editions.first();
    let engines = newest.and_then(|e| e.claims["engines"].as_array()).map(Vec::as_slice).unwrap_or_default();
    html! {
        section.card {
            h2 { code { (license.id) } }
            @if let Some(reason) = &license.revoked { p { span.badge.red { "Revoked" } " " (reason) } }
            p { "Tier " (text("tier")) ", " (engines.len()) " engines" }
            p { @for engine in engines { code { (engine["id"].as_str().unwrap_or_default()) } " " } }
            p {
                a href={ "/api/v1/organisations/" (org) "/licenses/" (license.id) "/file" } { "Licence file" }
                " — install it with " code { "sysmanage license install FILE" }
            }
            details {
                summary { (license.editions.len()) " editions" }
                @for edition in &license.editions {
                    p.dimmed { "Edition " (edition.edition) ", " (format::moment(edition.issued_at)) }
                }
            }
        }
    }
}

async fn list_downloads(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(org): Path<Uuid>,
) -> Result<Html<String>, Problem> {
    let mut content = html! {};
    for engine in app.releases.engines().await? {
        let releases = app.releases.of_engine(&engine.id).await?;
        let offered: Vec<&Release> = releases.iter().filter(|r| r.yanked.is_none()).collect();
        content = html! {
            (content)
            h2 { a href={ "/engines/" (engine.id) } { (engine.name) } }
            div.scroll {
                table {
                    thead { tr { th { "Version" } th { "Channel" } th { "Package" } th { "Size" } th { "SHA-256" } } }
                    tbody { @for release in offered { (rows(org, release)) } }
                }
            }
        };
    }
    let content = html! {
        p { "A package downloads with a licence that grants it. Hosts verify its signature whatever way it came." }
        (content)
    };
    Ok(section(&ctx, org, "/downloads", "Downloads", content))
}

fn rows(org: Uuid, release: &Release) -> Markup {
    let path = format!("/api/v1/organisations/{org}/engines/{}/{}", release.engine, release.version);
    html! {
        @for file in &release.files {
            tr {
                td { (release.version) }
                td { (release.channel.name()) }
                td { a href={ (path) "/" (file.target) } { (file.target) } }
                td { (format::size(file.size)) }
                td { code { (file.sha256) } }
            }
        }
    }
}
