//! API tokens.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{Html, Redirect},
};
use http::Method;
use maud::html;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    format,
    layout::{button, field, section},
};
use crate::{
    accounts::NewToken,
    app::App,
    ctx::{Ctx, Permission},
    http::{Access, Form, Path, Routes},
    problem::Problem,
};

pub(super) fn routes(routes: Routes) -> Routes {
    let (path, read) = ("/organisations/{org}/tokens", Access::Member(Permission::OrganisationRead));
    routes.on(Method::GET, path, read, list).on(Method::POST, path, read, create).on(
        Method::POST,
        "/organisations/{org}/tokens/{id}/revoke",
        read,
        revoke,
    )
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

async fn list(ctx: Ctx, State(app): State<Arc<App>>, Path(org): Path<Uuid>) -> Result<Html<String>, Problem> {
    show(&ctx, &app, org, None).await
}

async fn show(ctx: &Ctx, app: &App, org: Uuid, secret: Option<&str>) -> Result<Html<String>, Problem> {
    let tokens = app.accounts.tokens(ctx, org).await?;
    let content = html! {
        @if let Some(secret) = secret {
            div.notice role="status" {
                p { "Keep this now: it is shown once. Send it as " code { "Authorization: Bearer" } "." }
                p { code { (secret) } }
            }
        }
        p { "A token lets a program do in this organisation what your role does." }
        @for token in &tokens {
            p {
                (token.name) " " code { (token.prefix) "…" } " since " (format::day(token.created_at)) " "
                (button(&format!("/organisations/{org}/tokens/{}/revoke", token.id), "Revoke", "light"))
            }
        }
        form.row method="post" action={ "/organisations/" (org) "/tokens" } {
            (field("What it is for", html! { input name="name" maxlength="120" required; }))
            button type="submit" { "Create" }
        }
    };
    Ok(section(ctx, org, "/tokens", "API tokens", content))
}

async fn create(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(org): Path<Uuid>,
    Form(form): Form<Named>,
) -> Result<Html<String>, Problem> {
    let new = NewToken { name: form.name, expires_at: None };
    let made = app.accounts.create_token(&ctx, org, new).await?;
    show(&ctx, &app, org, Some(&made.secret)).await
}

async fn revoke(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((org, id)): Path<(Uuid, Uuid)>,
) -> Result<Redirect, Problem> {
    app.accounts.revoke_token(&ctx, org, id).await?;
    Ok(Redirect::to(&format!("/organisations/{org}/tokens")))
}
