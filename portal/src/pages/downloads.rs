//! Downloads.

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
    problem::Problem,
    releases::Release,
};

pub(super) fn routes(routes: Routes) -> Routes {
    let downloads = Access::Member(Permission::Download);
    routes.on(Method::GET, "/organisations/{org}/downloads", downloads, list_downloads)
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
