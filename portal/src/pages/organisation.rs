//! One's organisations, and the overview of one.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{Html, IntoResponse, Redirect, Response},
};
use http::Method;
use maud::html;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    format,
    layout::{field, page, section},
};
use crate::{
    app::App,
    ctx::{Ctx, Permission},
    http::{Access, Form, Path, Routes},
    problem::Problem,
};

pub(super) fn routes(routes: Routes) -> Routes {
    let org = "/organisations/{org}";
    routes
        .on(Method::GET, "/organisations", Access::SignedIn, list)
        .on(Method::POST, "/organisations", Access::SignedIn, create)
        .on(Method::GET, org, Access::Member(Permission::OrganisationRead), overview)
        .on(Method::POST, "/organisations/{org}/name", Access::Member(Permission::OrganisationManage), rename)
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

async fn list(ctx: Ctx, State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let organisations = app.accounts.organisations(&ctx).await?;
    if let [only] = organisations.as_slice() {
        return Ok(Redirect::to(&format!("/organisations/{}", only.organisation.id)).into_response());
    }
    let content = html! {
        @for own in &organisations {
            p {
                a href={ "/organisations/" (own.organisation.id) } { (own.organisation.name) }
                @if let Some(role) = own.role { " " span.dimmed { (role.name()) } }
            }
        }
        h2 { "Another organisation" }
        form.row method="post" action="/organisations" {
            (field("Name", html! { input name="name" maxlength="120" required; }))
            button type="submit" { "Create" }
        }
    };
    Ok(page(&ctx, "My organisations", content).into_response())
}

async fn create(ctx: Ctx, State(app): State<Arc<App>>, Form(form): Form<Named>) -> Result<Redirect, Problem> {
    let made = app.accounts.create_organisation(&ctx, &form.name).await?;
    Ok(Redirect::to(&format!("/organisations/{}", made.id)))
}

async fn overview(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(org): Path<Uuid>,
) -> Result<Html<String>, Problem> {
    let own = app.accounts.organisation(&ctx, org).await?.organisation;
    let orders = match ctx.allows(org, Permission::OrdersRead) {
        true => app.orders.list(&ctx, org).await?,
        false => Vec::new(),
    };
    let content = html! {
        p.dimmed { "Customer number " code { (own.number) } ", since " (format::day(own.created_at)) }
        @if ctx.allows(org, Permission::OrdersRead) {
            h2 { "Orders" }
            @if orders.is_empty() { p { "None yet. " a href={ "/organisations/" (org) "/orders" } { "Order engines" } "." } }
            div.cards {
                @for order in &orders {
                    section.card {
                        h3 { a href={ "/organisations/" (org) "/orders/" (order.id) } { (order.number) } }
                        p { (format::standing(order.standing)) }
                        @if let Some(grant) = &order.grant {
                            p { (grant.tier.title()) " for " (grant.machines) " machines, until " (format::day(grant.until)) }
                        }
                    }
                }
            }
        }
        @if ctx.allows(org, Permission::OrganisationManage) {
            h2 { "Name" }
            form.row method="post" action={ "/organisations/" (org) "/name" } {
                (field("Name", html! { input name="name" value=(own.name) maxlength="120" required; }))
                button.light type="submit" { "Change" }
            }
        }
    };
    Ok(section(&ctx, org, "", &own.name, content))
}

async fn rename(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(org): Path<Uuid>,
    Form(form): Form<Named>,
) -> Result<Redirect, Problem> {
    app.accounts.rename_organisation(&ctx, org, &form.name).await?;
    Ok(Redirect::to(&format!("/organisations/{org}")))
}
