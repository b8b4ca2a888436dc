//! What is around every page.

use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use uuid::Uuid;

use crate::{
    app::App,
    ctx::{Actor, Ctx, Permission},
    problem::Problem,
};

/// A whole page.
pub(super) fn page(ctx: &Ctx, title: &str, content: Markup) -> Html<String> {
    Html(frame(title, navigation(ctx), content).into_string())
}

/// A page of one organisation, with its sections.
pub(super) fn section(ctx: &Ctx, org: Uuid, here: &str, title: &str, content: Markup) -> Html<String> {
    let links = [
        ("", "Overview", Permission::OrganisationRead),
        ("/orders", "Orders", Permission::OrdersRead),
        ("/licenses", "Licences", Permission::LicensesRead),
        ("/usage", "Usage", Permission::LicensesRead),
        ("/downloads", "Downloads", Permission::Download),
        ("/members", "Members", Permission::OrganisationRead),
        ("/tokens", "API tokens", Permission::OrganisationRead),
    ];
    let sections = html! {
        nav.tabs aria-label="Organisation" {
            @for (path, label, _) in links.iter().filter(|(_, _, needs)| ctx.allows(org, *needs)) {
                a href={ "/organisations/" (org) (path) } aria-current=[(*path == here).then_some("page")] { (label) }
            }
        }
        (content)
    };
    page(ctx, title, sections)
}

fn frame(title: &str, navigation: Markup, content: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · SysManage" }
                link rel="stylesheet" href="/assets/portal.css";
                link rel="icon" type="image/svg+xml" href="/assets/portal.svg";
            }
            body {
                a.skip href="#content" { "Skip to content" }
                header { div.bar { a.brand href="/" { "SysManage" } (navigation) } }
                main #content { h1 { (title) } (content) }
            }
        }
    }
}

fn navigation(ctx: &Ctx) -> Markup {
    let person = matches!(ctx.actor, Actor::User(_));
    html! {
        nav aria-label="Portal" {
            a href="/" { "Catalogue" }
            @if person {
                a href="/organisations" { "My organisations" }
                @if ctx.staff || ctx.unenrolled_staff { a href="/vendor" { "Vendor" } }
                a href="/account" { "Account" }
                form.inline method="post" action="/sign-out" {
                    button.plain type="submit" { "Sign out " (ctx.actor_name) }
                }
            } @else {
                a href="/sign-in" { "Sign in" }
                a href="/sign-up" { "Sign up" }
            }
        }
    }
}

/// A failure, for people.
pub(crate) fn failed(_app: &App, problem: &Problem, request_id: &str) -> Response {
    let title = match problem.status.as_u16() {
        401 => "Sign in first",
        402 => "A licence is needed",
        403 => "You may not do this",
        404 => "There is nothing here",
        429 => "Wait a moment",
        500.. => "Something went wrong",
        _ => "This did not work",
    };
    let content = html! {
        p { (problem.detail) }
        p.dimmed { "Request " code { (request_id) } }
        p { a href="/" { "To the catalogue" } }
    };
    let navigation = html! { nav aria-label="Portal" { a href="/" { "Catalogue" } a href="/organisations" { "My organisations" } } };
    (problem.status, Html(frame(title, navigation, content).into_string())).into_response()
}

/// A labelled field.
pub(super) fn field(label: &str, input: Markup) -> Markup {
    html! { label { span { (label) } (input) } }
}

/// A form that is one button.
pub(super) fn button(action: &str, label: &str, class: &str) -> Markup {
    html! { form.inline method="post" action=(action) { button class=(class) type="submit" { (label) } } }
}
