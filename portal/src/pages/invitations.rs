//! The page that an invitation's link leads to.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{Html, Redirect},
};
use http::Method;
use maud::html;

use super::layout::{button, page};
use crate::{
    app::App,
    ctx::{Actor, Ctx},
    http::{Access, Path, Routes},
    problem::Problem,
};

pub(super) fn routes(routes: Routes) -> Routes {
    let path = "/invitations/{token}";
    routes.on(Method::GET, path, Access::Public, look).on(Method::POST, path, Access::SignedIn, accept)
}

async fn look(ctx: Ctx, Path(token): Path<String>) -> Html<String> {
    let path = format!("/invitations/{token}");
    let next: String = form_urlencoded::byte_serialize(path.as_bytes()).collect();
    let content = html! {
        p { "You were invited to an organisation at this portal." }
        @if matches!(ctx.actor, Actor::User(_)) {
            p { (button(&path, "Accept", "")) }
        } @else {
            p {
                a href={ "/sign-in?next=" (next) } { "Sign in" } " with the invited address, or "
                a href={ "/sign-up?next=" (next) } { "sign up" } "."
            }
        }
    };
    page(&ctx, "Invitation", content)
}

async fn accept(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
) -> Result<Redirect, Problem> {
    let joined = app.accounts.accept_invitation(&ctx, &token).await?;
    Ok(Redirect::to(&format!("/organisations/{}", joined.organisation.id)))
}
