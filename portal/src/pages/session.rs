//! Sign up, sign in, sign out.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{Html, IntoResponse, Redirect, Response},
};
use http::{HeaderMap, Method, StatusCode, header};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    account::code_input,
    layout::{field, page},
};
use crate::{
    accounts::{AccountError, NewSession, SignUp, SignedIn},
    app::App,
    ctx::Ctx,
    http::{Access, Form, Query, Routes, require_same_origin},
    problem::{Problem, SliceError},
};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .on(Method::GET, "/sign-in", Access::Public, sign_in_page)
        .on(Method::POST, "/sign-in", Access::Public, sign_in)
        .on(Method::POST, "/sign-in/code", Access::Public, sign_in_with_code)
        .on(Method::GET, "/sign-up", Access::Public, sign_up_page)
        .on(Method::POST, "/sign-up", Access::Public, sign_up)
        .on(Method::POST, "/sign-out", Access::SignedIn, sign_out)
}

#[derive(Deserialize)]
struct Next {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
struct SignInForm {
    email: String,
    password: String,
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
struct CodeForm {
    half_session: String,
    code: String,
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
struct SignUpForm {
    email: String,
    name: String,
    password: String,
    #[serde(default)]
    organisation: String,
    #[serde(default)]
    next: String,
}

/// A path of this portal, and nothing else: links must not lead away after signing in.
fn local(next: &str) -> &str {
    let plain = next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    if plain && next.starts_with('/') && !next.starts_with("//") { next } else { "/organisations" }
}

async fn sign_in_page(ctx: Ctx, Query(next): Query<Next>) -> Html<String> {
    page(&ctx, "Sign in", sign_in_form("", &next.next, None))
}

fn sign_in_form(email: &str, next: &str, wrong: Option<&str>) -> Markup {
    html! {
        @if let Some(wrong) = wrong { p.notice.bad role="alert" { (wrong) } }
        form.stack method="post" action="/sign-in" {
            input type="hidden" name="next" value=(next);
            (field("Address", html! { input type="email" name="email" value=(email) autocomplete="username" required; }))
            (field("Password", html! { input type="password" name="password" autocomplete="current-password" required; }))
            div { button type="submit" { "Sign in" } }
        }
        p { "No account yet? " a href="/sign-up" { "Sign up" } "." }
    }
}

async fn sign_in(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Form(form): Form<SignInForm>,
) -> Result<Response, Problem> {
    require_same_origin(&headers)?;
    match app.accounts.sign_in(&ctx, &form.email, &form.password).await {
        Ok(SignedIn::Session(session)) => Ok(enter(&app, &session, &form.next)),
        Ok(SignedIn::CodeWanted(half)) => {
            Ok(page(&ctx, "Enter your code", code_form(&half, &form.next, None)).into_response())
        }
        Err(error) => {
            let told = told(error)?;
            let content = sign_in_form(&form.email, &form.next, Some(&told.1));
            Ok((told.0, page(&ctx, "Sign in", content)).into_response())
        }
    }
}

fn code_form(half: &str, next: &str, wrong: Option<&str>) -> Markup {
    html! {
        @if let Some(wrong) = wrong { p.notice.bad role="alert" { (wrong) } }
        form.stack method="post" action="/sign-in/code" {
            input type="hidden" name="half_session" value=(half);
            input type="hidden" name="next" value=(next);
            (field("Code of your authenticator, or a recovery code", code_input()))
            div { button type="submit" { "Sign in" } }
        }
        p { a href="/sign-in" { "Begin again" } }
    }
}

async fn sign_in_with_code(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Form(form): Form<CodeForm>,
) -> Result<Response, Problem> {
    require_same_origin(&headers)?;
    match app.accounts.sign_in_with_code(&ctx, &form.half_session, &form.code).await {
        Ok(session) => Ok(enter(&app, &session, &form.next)),
        Err(error) => {
            let over = matches!(error, AccountError::HalfSessionEnded);
            let told = told(error)?;
            let content = match over {
                true => sign_in_form("", &form.next, Some(&told.1)),
                false => code_form(&form.half_session, &form.next, Some(&told.1)),
            };
            Ok((told.0, page(&ctx, "Enter your code", content)).into_response())
        }
    }
}

async fn sign_up_page(ctx: Ctx, Query(next): Query<Next>) -> Html<String> {
    let empty = SignUpForm {
        email: String::new(),
        name: String::new(),
        password: String::new(),
        organisation: String::new(),
        next: next.next,
    };
    page(&ctx, "Sign up", sign_up_form(&empty, None))
}

fn sign_up_form(form: &SignUpForm, wrong: Option<&str>) -> Markup {
    // Whoever was invited becomes a member of that organisation, and needs none of their own.
    let invited = form.next.starts_with("/invitations/");
    html! {
        @if let Some(wrong) = wrong { p.notice.bad role="alert" { (wrong) } }
        form.stack method="post" action="/sign-up" {
            input type="hidden" name="next" value=(form.next);
            (field("Address", html! { input type="email" name="email" value=(form.email) autocomplete="username" required; }))
            (field("Your name", html! { input name="name" value=(form.name) autocomplete="name" maxlength="120" required; }))
            @if !invited {
                (field("Organisation", html! {
                    input name="organisation" value=(form.organisation) autocomplete="organization" maxlength="120" required;
                }))
            }
            (field("Password", html! { input type="password" name="password" autocomplete="new-password" required; }))
            div { button type="submit" { "Sign up" } }
        }
    }
}

async fn sign_up(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Form(form): Form<SignUpForm>,
) -> Result<Response, Problem> {
    require_same_origin(&headers)?;
    let new = SignUp {
        email: form.email.clone(),
        name: form.name.clone(),
        password: form.password.clone(),
        organisation: Some(form.organisation.clone()).filter(|o| !o.trim().is_empty()),
    };
    match app.accounts.sign_up(&ctx, new).await {
        Ok(session) => Ok(enter(&app, &session, &form.next)),
        Err(error) => {
            let told = told(error)?;
            Ok((told.0, page(&ctx, "Sign up", sign_up_form(&form, Some(&told.1)))).into_response())
        }
    }
}

async fn sign_out(ctx: Ctx, State(app): State<Arc<App>>) -> Result<Response, Problem> {
    app.accounts.sign_out(&ctx).await?;
    Ok(([(header::SET_COOKIE, app.no_cookie())], Redirect::to("/")).into_response())
}

fn enter(app: &App, session: &NewSession, next: &str) -> Response {
    ([(header::SET_COOKIE, app.cookie_of(session))], Redirect::to(local(next))).into_response()
}

/// What to say above the form; what is the portal's own fault is told by the page of failures.
fn told(error: AccountError) -> Result<(StatusCode, String), Problem> {
    match error.status() {
        status if status.is_client_error() => Ok((status, error.to_string())),
        _ => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn one_comes_back_to_this_portal_only() {
        assert_eq!(local("/organisations/x"), "/organisations/x");
        for away in
            ["https://evil.example", "//evil.example", "/\\evil.example", "", "javascript:x", "/a\r\nb"]
        {
            assert_eq!(local(away), "/organisations", "{away}");
        }
    }
}
