//! One's own account: the second factor.

use std::sync::Arc;

use axum::{extract::State, response::Html};
use http::Method;
use maud::{Markup, PreEscaped, html};
use serde::Deserialize;

use super::layout::{button, field, page};
use crate::{
    accounts::Enrolment,
    app::App,
    ctx::Ctx,
    http::{Access, Form, Routes},
    problem::Problem,
};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .on(Method::GET, "/account", Access::SignedIn, account)
        .on(Method::POST, "/account/second-factor", Access::SignedIn, begin)
        .on(Method::POST, "/account/second-factor/confirm", Access::SignedIn, confirm)
        .on(Method::POST, "/account/second-factor/codes", Access::SignedIn, renew)
        .on(Method::POST, "/account/second-factor/remove", Access::SignedIn, remove)
}

#[derive(Deserialize)]
struct Password {
    password: String,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

async fn account(ctx: Ctx, State(app): State<Arc<App>>) -> Result<Html<String>, Problem> {
    let user = app.accounts.me(&ctx).await?;
    let factor = app.accounts.own_second_factor(&ctx).await?;
    let content = html! {
        p { (user.name) ", " (user.email) }
        h2 { "Second factor" }
        @if factor.required && !factor.enabled {
            p.notice.bad { "The vendor's pages open once you have set up a second factor." }
        }
        @if factor.enabled {
            p { span.badge.green { "On" } " A code of your authenticator is asked for when you sign in." }
            p { (factor.recovery_codes_left) " recovery codes are left." }
            (with_password("/account/second-factor/codes", "New recovery codes", "light"))
            @if !factor.required {
                h3 { "Turn it off" }
                (with_password("/account/second-factor/remove", "Turn off", "light"))
            }
        } @else {
            p { "A code of an authenticator app, besides the password, whenever you sign in." }
            (with_password("/account/second-factor", "Set up", ""))
        }
    };
    Ok(page(&ctx, "Your account", content))
}

fn with_password(action: &str, label: &str, class: &str) -> Markup {
    html! {
        form.row method="post" action=(action) {
            (field("Your password", html! { input type="password" name="password" autocomplete="current-password" required; }))
            button class=(class) type="submit" { (label) }
        }
    }
}

async fn begin(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Form(form): Form<Password>,
) -> Result<Html<String>, Problem> {
    let enrolment = app.accounts.begin_second_factor(&ctx, &form.password).await?;
    Ok(page(&ctx, "Set up a second factor", enrol(&enrolment)))
}

fn enrol(enrolment: &Enrolment) -> Markup {
    html! {
        p { "Scan this with an authenticator app, or type the secret in. Then enter the code that it shows." }
        // Made by us from the secret alone; it holds no text.
        div.qr role="img" aria-label="QR code of the secret below" { (PreEscaped(&enrolment.qr_svg)) }
        p { "Secret: " code { (enrolment.secret) } }
        p { a href=(enrolment.uri) { "Open in an app on this device" } }
        form.stack method="post" action="/account/second-factor/confirm" {
            (field("Code", code_input()))
            div { button type="submit" { "Confirm" } }
        }
    }
}

/// A field for a code: digits, filled in by password managers where they know it.
pub(super) fn code_input() -> Markup {
    html! { input name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="24" required; }
}

async fn confirm(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Form(form): Form<Code>,
) -> Result<Html<String>, Problem> {
    let codes = app.accounts.confirm_second_factor(&ctx, &form.code).await?;
    Ok(page(&ctx, "Your recovery codes", shown(&codes)))
}

async fn renew(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Form(form): Form<Password>,
) -> Result<Html<String>, Problem> {
    let codes = app.accounts.renew_recovery_codes(&ctx, &form.password).await?;
    Ok(page(&ctx, "Your recovery codes", shown(&codes)))
}

fn shown(codes: &[String]) -> Markup {
    html! {
        p { "Each opens your account once, when the authenticator is lost. They are shown this once: keep them where you keep \
             what must not be lost." }
        ul.codes { @for code in codes { li { code { (code) } } } }
        p { a href="/account" { "I have kept them" } }
    }
}

async fn remove(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Form(form): Form<Password>,
) -> Result<Html<String>, Problem> {
    app.accounts.disable_second_factor(&ctx, &form.password).await?;
    let content = html! {
        p { "The second factor is off. Only the password is asked for." }
        (button("/sign-out", "Sign out", "light"))
    };
    Ok(page(&ctx, "Your account", content))
}
