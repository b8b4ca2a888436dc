//! A customer's licences: what they say, what they said before, and which host they are for.

use std::sync::Arc;

use axum::{
    extract::{Multipart, State},
    response::{Html, Redirect, Response},
};
use http::Method;
use licenses::InstanceRequest;
use maud::{Markup, html};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    format,
    layout::{button, field, section},
};
use crate::{
    app::App,
    ctx::{Ctx, Permission},
    http::{Access, Form, Path, Routes},
    licensing::{License, license_file},
    orders::OrderError,
    problem::Problem,
};

pub(super) fn routes(routes: Routes) -> Routes {
    let (read, manage) =
        (Access::Member(Permission::LicensesRead), Access::Member(Permission::LicensesManage));
    routes
        .on(Method::GET, "/organisations/{org}/licenses", read, list)
        .on(Method::POST, "/organisations/{org}/licenses/{id}/activate", manage, activate)
        .on(Method::POST, "/organisations/{org}/orders/{id}/transfer", manage, transfer)
}

async fn list(ctx: Ctx, State(app): State<Arc<App>>, Path(org): Path<Uuid>) -> Result<Html<String>, Problem> {
    let licenses = app.licensing.list(&ctx, org).await?;
    let manages = ctx.allows(org, Permission::LicensesManage);
    let content = html! {
        @if licenses.is_empty() { p { "None yet: a licence follows the payment of an order, or a trial." } }
        @for license in &licenses { (card(org, license, manages)) }
    };
    Ok(section(&ctx, org, "/licenses", "Licences", content))
}

fn card(org: Uuid, license: &License, manages: bool) -> Markup {
    let newest = license.editions.first();
    let text = |key: &str| newest.and_then(|e| e.claims[key].as_str()).unwrap_or_default();
    let engines = newest.and_then(|e| e.claims["engines"].as_array()).map(Vec::as_slice).unwrap_or_default();
    html! {
        section.card {
            h2 { code { (license.id) } }
            @if let Some(reason) = &license.revoked { p { span.badge.red { "Revoked" } " " (reason) } }
            p { "Tier " (text("tier")) ", " (engines.len()) @if engines.len() == 1 { " engine" } @else { " engines" } }
            p { @for engine in engines { code { (engine["id"].as_str().unwrap_or_default()) } " " } }
            p {
                @match text("instance") {
                    "" => "For any one of your hosts.",
                    instance => { "For the host with instance " code { (instance) } "." }
                }
            }
            p {
                a href={ "/api/v1/organisations/" (org) "/licenses/" (license.id) "/file" } { "Licence file" }
                " — install it with " code { "sysmanage license install FILE" }
            }
            @if manages && license.revoked.is_none() { (binding(org, license, text("instance"))) }
            (history(license))
        }
    }
}

/// Which host it is for, and how to change that.
fn binding(org: Uuid, license: &License, instance: &str) -> Markup {
    let transfer = format!("/organisations/{org}/orders/{}/transfer", license.order);
    html! {
        details {
            summary { "Activate a host without a network, or transfer" }
            form.row method="post" enctype="multipart/form-data" action={ "/organisations/" (org) "/licenses/" (license.id) "/activate" } {
                (field("The file of `sysmanage license request FILE`", html! { input type="file" name="request" required; }))
                button.light type="submit" { "Get the licence for this host" }
            }
            p.dimmed { "The licence is then for that host alone. Another host that has it keeps what it has until it hears of this." }
            form.row method="post" action=(transfer) {
                (field("Or its instance id", html! { input name="instance" value=(instance) maxlength="32" pattern="[0-9a-f]{32}" required; }))
                button.light type="submit" { "Transfer" }
            }
            @if !instance.is_empty() { (button(&transfer, "Free it for any host", "light")) }
        }
    }
}

/// Every edition, the one in force first.
fn history(license: &License) -> Markup {
    html! {
        details {
            summary { (license.editions.len()) @if license.editions.len() == 1 { " edition" } @else { " editions" } }
            div.scroll {
                table {
                    thead { tr { th { "Edition" } th { "Signed" } th { "Tier" } th { "Machines" } th { "Until" } th { "Host" } } }
                    tbody {
                        @for edition in &license.editions {
                            tr {
                                td { (edition.edition) }
                                td { (format::moment(edition.issued_at)) }
                                td { (edition.claims["tier"].as_str().unwrap_or_default()) }
                                td { @if let Some(hosts) = edition.claims["hosts"].as_u64() { (hosts) } @else { "any" } }
                                td { (edition.claims["exp"].as_str().and_then(|at| at.get(..10)).unwrap_or("no end")) }
                                td { @if let Some(id) = edition.claims["instance"].as_str() { code { (id.get(..8).unwrap_or(id)) } } @else { "any" } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The file comes in a form with one part; the answer is the licence to carry back.
async fn activate(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((org, license)): Path<(Uuid, String)>,
    mut form: Multipart,
) -> Result<Response, Problem> {
    let wrong = |why: &str| OrderError::Invalid("request", why.into());
    let part = form.next_field().await.map_err(|_| wrong("The form did not arrive whole."))?;
    let part = part.filter(|part| part.name() == Some("request"));
    let mut part = part
        .ok_or_else(|| wrong("Choose the file that `sysmanage license request FILE` wrote on the host."))?;
    let mut bytes = Vec::new();
    while let Some(piece) = part.chunk().await.map_err(|_| wrong("The file did not arrive whole."))? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > InstanceRequest::MAX_BYTES {
            return Err(wrong("This file is larger than an instance request.").into());
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    Ok(license_file(&license, &app.orders.activate(&ctx, org, &license, &text).await?))
}

#[derive(Deserialize)]
struct To {
    #[serde(default)]
    instance: String,
}

async fn transfer(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((org, order)): Path<(Uuid, Uuid)>,
    Form(to): Form<To>,
) -> Result<Redirect, Problem> {
    let instance = Some(to.instance.trim()).filter(|id| !id.is_empty()).map(str::parse).transpose();
    let instance = instance.map_err(|_| {
        OrderError::Invalid(
            "instance",
            "An instance id has 32 hexadecimal digits; `sysmanage license show` tells it.".into(),
        )
    })?;
    app.orders.transfer(&ctx, org, order, instance).await?;
    Ok(Redirect::to(&format!("/organisations/{org}/licenses")))
}
