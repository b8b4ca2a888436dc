//! The vendor's pages: customers, orders, releases.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{Html, Redirect},
};
use http::Method;
use maud::{Markup, html};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    format,
    layout::{button, field, page},
    usage,
};
use crate::{
    app::App,
    ctx::Ctx,
    hosts::Which,
    http::{Access, Form, Path, Query, Routes},
    licensing::{KeyState, KeyView},
    orders::{Order, What},
    problem::Problem,
    releases::{Release, Screenshot},
};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .on(Method::GET, "/vendor", Access::Staff, customers)
        .on(Method::GET, "/vendor/customers/{id}", Access::Staff, customer)
        .on(Method::GET, "/vendor/releases", Access::Staff, releases)
        .on(
            Method::POST,
            "/vendor/engines/{engine}/screenshots/{sha256}/remove",
            Access::Staff,
            remove_picture,
        )
        .on(Method::GET, "/vendor/keys", Access::Staff, keys)
        .on(Method::POST, "/vendor/keys/reload", Access::Staff, reload_keys)
        .on(Method::POST, "/vendor/orders/{id}/invoice-paid", Access::Staff, invoice_paid)
        .on(Method::POST, "/vendor/orders/{id}/revoke", Access::Staff, revoke)
        .on(Method::POST, "/vendor/releases/{engine}/{version}/yank", Access::Staff, yank)
        .on(Method::POST, "/vendor/releases/{engine}/{version}/unyank", Access::Staff, unyank)
}

#[derive(Deserialize)]
struct After {
    after: Option<Uuid>,
}

#[derive(Deserialize)]
struct Invoice {
    number: String,
}

#[derive(Deserialize)]
struct Why {
    reason: String,
}

const SECTIONS: &[(&str, &str)] = &[
    ("/vendor", "Customers"),
    ("/vendor/releases", "Releases"),
    ("/vendor/downloads", "Downloads"),
    ("/vendor/revenue", "Revenue"),
    ("/vendor/advisories", "Advisories"),
    ("/vendor/keys", "Keys"),
];

pub(super) fn vendor(ctx: &Ctx, here: &str, title: &str, content: Markup) -> Html<String> {
    let content = html! {
        nav.tabs aria-label="Vendor" {
            @for (path, label) in SECTIONS {
                a href=(path) aria-current=[(*path == here).then_some("page")] { (label) }
            }
        }
        (content)
    };
    page(ctx, title, content)
}

async fn customers(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Query(from): Query<After>,
) -> Result<Html<String>, Problem> {
    let customers = app.accounts.customers(&ctx, from.after).await?;
    let parked = app.payments.parked(&ctx).await?;
    let content = html! {
        @for warning in app.licensing.keys().warnings(app.clock.now()) { p.notice.bad { (warning) " " a href="/vendor/keys" { "Keys" } } }
        @if parked > 0 { p.notice.bad { (parked) " events of Stripe wait for an order that is not known." } }
        div.scroll {
            table {
                thead { tr { th { "Number" } th { "Name" } th { "Since" } } }
                tbody {
                    @for customer in &customers {
                        tr {
                            td { a href={ "/vendor/customers/" (customer.id) } { (customer.number) } }
                            td { (customer.name) }
                            td { (format::day(customer.created_at)) }
                        }
                    }
                }
            }
        }
        @if let Some(last) = customers.last().filter(|_| customers.len() >= 100) {
            p { a href={ "/vendor?after=" (last.id) } { "More" } }
        }
    };
    Ok(vendor(&ctx, "/vendor", "Customers", content))
}

async fn customer(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> Result<Html<String>, Problem> {
    let customer = app.accounts.organisation(&ctx, id).await?.organisation;
    let orders = app.orders.list(&ctx, id).await?;
    let hosts = app.hosts.used_by(&ctx, id).await?;
    let receipts = app.hosts.receipts(&ctx, id, &Which::default()).await?;
    let content = html! {
        p.dimmed { "Customer number " code { (customer.number) } ", since " (format::day(customer.created_at)) }
        @for order in &orders { (order_card(order)) }
        @if orders.is_empty() { p { "No orders." } }
        (usage::tables(&hosts, &receipts))
    };
    Ok(vendor(&ctx, "/vendor", &customer.name, content))
}

fn order_card(order: &Order) -> Markup {
    html! {
        section.card {
            h2 { (order.number) " " (format::standing(order.standing)) }
            @if let Some(plan) = &order.plan {
                p { (plan.tier.title()) " for " (order.machines) " machines, " (format::money(order.price, &plan.currency))
                    " each " (plan.interval.name()) }
            }
            @if let Some(grant) = &order.grant { p { "Licensed until " (format::day(grant.until)) } }
            form.row method="post" action={ "/vendor/orders/" (order.id) "/invoice-paid" } {
                (field("Paid invoice, number", html! { input name="number" maxlength="60" required; }))
                button.light type="submit" { "One interval is paid" }
            }
            form.row method="post" action={ "/vendor/orders/" (order.id) "/revoke" } {
                (field("Revoke, because", html! { input name="reason" maxlength="200" required; }))
                button.light type="submit" { "Revoke the licence" }
            }
        }
    }
}

async fn invoice_paid(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Form(form): Form<Invoice>,
) -> Result<Redirect, Problem> {
    let order = app.orders.invoice_paid(&ctx, id, form.number.trim()).await?;
    Ok(Redirect::to(&format!("/vendor/customers/{}", order.organisation)))
}

async fn revoke(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Form(form): Form<Why>,
) -> Result<Redirect, Problem> {
    let what = What::Revoked { reason: form.reason.trim().to_owned() };
    let order = app.orders.tell(&ctx, id, "revoke".into(), what).await?;
    Ok(Redirect::to(&format!("/vendor/customers/{}", order.organisation)))
}

async fn releases(ctx: Ctx, State(app): State<Arc<App>>) -> Result<Html<String>, Problem> {
    let releases = app.releases.list_all(&ctx).await?;
    let pictures = app.releases.all_screenshots().await?;
    let content = html! {
        p { "Publish with " code { "sysmanage-portal publish FILE" } " on the portal's computer." }
        div.scroll {
            table {
                thead { tr { th { "Engine" } th { "Version" } th { "Channel" } th { "Published" } th { "Targets" } th { "Withdraw" } } }
                tbody { @for release in &releases { (release_row(release)) } }
            }
        }
        h2 { "Pictures" }
        @if pictures.is_empty() { p { "None. Add them with " code { "sysmanage-portal publish FILE --screenshot PICTURE" } "." } }
        div.shots { @for picture in &pictures { (picture_card(picture)) } }
    };
    Ok(vendor(&ctx, "/vendor/releases", "Releases", content))
}

fn release_row(release: &Release) -> Markup {
    let path = format!("/vendor/releases/{}/{}", release.engine, release.version);
    html! {
        tr {
            td { (release.name) }
            td { (release.version) }
            td { (release.channel.name()) }
            td { (format::day(release.published_at)) }
            td { @for file in &release.files { code { (file.target) } " " } }
            td {
                @if let Some(reason) = &release.yanked {
                    span.badge.red { "Withdrawn" } " " (reason) " " (button(&format!("{path}/unyank"), "Offer again", "light"))
                } @else {
                    form.row method="post" action={ (path) "/yank" } {
                        input name="reason" aria-label="Why" maxlength="300" required;
                        button.light type="submit" { "Withdraw" }
                    }
                }
            }
        }
    }
}

fn picture_card(picture: &Screenshot) -> Markup {
    let remove = format!("/vendor/engines/{}/screenshots/{}/remove", picture.engine, picture.sha256);
    html! {
        figure {
            img.shot src={ "/images/" (picture.sha256) } alt=(picture.caption) width=(picture.width) height=(picture.height) loading="lazy";
            figcaption { (picture.engine) ": " (picture.caption) " " (button(&remove, "Remove", "light")) }
        }
    }
}

async fn remove_picture(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((engine, sha256)): Path<(String, String)>,
) -> Result<Redirect, Problem> {
    app.releases.remove_screenshot(&ctx, &engine, &sha256).await?;
    Ok(Redirect::to("/vendor/releases"))
}

async fn yank(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((engine, version)): Path<(String, semver::Version)>,
    Form(why): Form<Why>,
) -> Result<Redirect, Problem> {
    app.releases.yank(&ctx, &engine, &version, &why.reason).await?;
    Ok(Redirect::to("/vendor/releases"))
}

async fn unyank(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((engine, version)): Path<(String, semver::Version)>,
) -> Result<Redirect, Problem> {
    app.releases.unyank(&ctx, &engine, &version).await?;
    Ok(Redirect::to("/vendor/releases"))
}

async fn keys(ctx: Ctx, State(app): State<Arc<App>>) -> Result<Html<String>, Problem> {
    let keys = app.licensing.list_keys(&ctx)?;
    let content = html! {
        p { "For each use the newest key whose certificate is valid signs. What an older key signed stays good." }
        div.scroll {
            table {
                thead { tr { th { "Signs" } th { "Key" } th { "From" } th { "Until" } th { "State" } } }
                tbody { @for key in &keys { (key_row(key)) } }
            }
        }
        p { "After a change of the configuration, or of a key's files:" }
        (button("/vendor/keys/reload", "Read the keys again", "light"))
    };
    Ok(vendor(&ctx, "/vendor/keys", "Keys", content))
}

fn key_row(key: &KeyView) -> Markup {
    let (class, words) = match &key.state {
        KeyState::Signs => ("green", "Signs now".to_owned()),
        KeyState::Valid => ("gray", "Valid; a newer one signs".into()),
        KeyState::NotYetValid => ("blue", "Begins later".into()),
        KeyState::Ended => ("gray", "Ended".into()),
        KeyState::Refused(why) => ("red", format!("Refused: {why}")),
    };
    html! {
        tr {
            td { (key.usage) }
            td { (key.subject) br; code { (key.key) } br; span.dimmed { (key.source) } }
            td { (format::day(key.not_before)) }
            td { (format::day(key.not_after)) }
            td {
                span.badge.(class) { (words) }
                @if let Some(warning) = &key.warning { br; span.badge.orange { "Ends soon" } " " (warning) }
            }
        }
    }
}

async fn reload_keys(ctx: Ctx, State(app): State<Arc<App>>) -> Result<Redirect, Problem> {
    app.licensing.reload_keys(&ctx).await?;
    Ok(Redirect::to("/vendor/keys"))
}
