//! Orders: made, paid, looked at, cancelled.

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
    layout::{button, field, section},
};
use crate::{
    accounts::Member,
    app::App,
    catalogue::Tier,
    ctx::{Actor, Ctx, Permission},
    http::{Access, Form, Path, Routes},
    orders::{NewOrder, Order, Standing},
    payments::ChangeOrder,
    problem::Problem,
};

pub(super) fn routes(routes: Routes) -> Routes {
    let (read, manage) = (Access::Member(Permission::OrdersRead), Access::Member(Permission::OrdersManage));
    let path = "/organisations/{org}/orders";
    routes
        .on(Method::GET, path, read, list)
        .on(Method::POST, path, manage, create)
        .on(Method::POST, "/organisations/{org}/trial", manage, start_trial)
        .on(Method::GET, "/organisations/{org}/orders/{id}", read, get)
        .on(Method::POST, "/organisations/{org}/orders/{id}/checkout", manage, checkout)
        .on(Method::POST, "/organisations/{org}/orders/{id}/test-payment", manage, test_payment)
        .on(Method::POST, "/organisations/{org}/orders/{id}/cancel", manage, cancel)
        .on(Method::POST, "/organisations/{org}/orders/{id}/change", manage, change)
}

#[derive(Deserialize)]
struct Trial {
    plan: String,
}

async fn list(ctx: Ctx, State(app): State<Arc<App>>, Path(org): Path<Uuid>) -> Result<Html<String>, Problem> {
    let orders = app.orders.list(&ctx, org).await?;
    let content = html! {
        @if !orders.is_empty() {
            div.scroll {
                table {
                    thead { tr { th { "Order" } th { "Plan" } th { "Machines" } th { "State" } th { "Until" } } }
                    tbody { @for order in &orders { (row(org, order)) } }
                }
            }
        }
        @if ctx.allows(org, Permission::OrdersManage) { (order_forms(&app, org, orders.iter().any(|order| order.trial))) }
    };
    Ok(section(&ctx, org, "/orders", "Orders", content))
}

fn row(org: Uuid, order: &Order) -> Markup {
    html! {
        tr {
            td { a href={ "/organisations/" (org) "/orders/" (order.id) } { (order.number) } }
            td { @if let Some(plan) = &order.plan { (plan.tier.title()) ", by the " (plan.interval.name()) } }
            td { (order.grant.as_ref().map_or(order.machines, |grant| grant.machines)) }
            td { (format::standing(order.standing)) }
            td { @if let Some(grant) = &order.grant { (format::day(grant.until)) } }
        }
    }
}

fn order_forms(app: &App, org: Uuid, tried: bool) -> Markup {
    let catalogue = &app.config.catalogue;
    let plans = html! {
        select name="plan" {
            @for plan in &catalogue.plans {
                option value=(plan.id) { (plan.tier.title()) ", " (format::price(plan)) }
            }
        }
    };
    html! {
        h2 { "Order" }
        form.row method="post" action={ "/organisations/" (org) "/orders" } {
            (field("Plan", plans.clone()))
            (field("Machines", html! {
                input type="number" name="machines" min="1" max=(catalogue.max_machines) value="10" required;
            }))
            button type="submit" { "Order" }
        }
        @if catalogue.trial_days > 0 && !tried {
            h2 { "Try" }
            p { (catalogue.trial_days) " days for " (catalogue.trial_machines) " machines, once for each organisation." }
            form.row method="post" action={ "/organisations/" (org) "/trial" } {
                (field("Plan", plans))
                button.light type="submit" { "Begin a trial" }
            }
        }
    }
}

async fn create(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(org): Path<Uuid>,
    Form(new): Form<NewOrder>,
) -> Result<Redirect, Problem> {
    let order = app.orders.create(&ctx, org, new).await?;
    Ok(to_order(&order))
}

async fn start_trial(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(org): Path<Uuid>,
    Form(trial): Form<Trial>,
) -> Result<Redirect, Problem> {
    let order = app.orders.start_trial(&ctx, org, &trial.plan).await?;
    Ok(to_order(&order))
}

fn to_order(order: &Order) -> Redirect {
    Redirect::to(&format!("/organisations/{}/orders/{}", order.organisation, order.id))
}

async fn get(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((org, id)): Path<(Uuid, Uuid)>,
) -> Result<Html<String>, Problem> {
    let order = app.orders.get(&ctx, org, id).await?;
    let history = app.orders.history(&ctx, org, id).await?;
    let members = app.accounts.members(&ctx, org).await?;
    let content = html! {
        p { (format::standing(order.standing)) }
        (summary(&order))
        @if ctx.allows(org, Permission::OrdersManage) { (ways_to_pay(&app, &order)) }
        h2 { "History" }
        div.scroll {
            table {
                thead { tr { th { "When" } th { "What" } th { "Told by" } } }
                tbody {
                    @for entry in &history {
                        tr {
                            td { (format::moment(entry.event.at)) }
                            td { (entry.event.what.kind().replace('_', " ")) }
                            td { (teller(&entry.actor, &members)) }
                        }
                    }
                }
            }
        }
        @if ctx.allows(org, Permission::OrdersManage) && order.standing == Standing::Active { (change_form(&app, &order)) }
        @if ctx.allows(org, Permission::OrdersManage) && matches!(order.standing, Standing::Active | Standing::PastDue) {
            h2 { "End" }
            p { "What is paid stays until its end; nothing more is charged." }
            (button(&format!("/organisations/{org}/orders/{id}/cancel"), "Do not renew", "light"))
        }
    };
    Ok(section(&ctx, org, "/orders", &format!("Order {}", order.number), content))
}

/// Who told of an event, for the customer.
fn teller<'a>(actor: &str, members: &'a [Member]) -> &'a str {
    if actor == Actor::Stripe.to_string() {
        return "Stripe";
    }
    let member = members.iter().find(|member| Actor::User(member.user).to_string() == actor);
    match member {
        Some(member) => &member.name,
        None if actor.starts_with("token:") => "an API token",
        None => "the vendor",
    }
}

fn summary(order: &Order) -> Markup {
    html! {
        @if let Some(plan) = &order.plan {
            p {
                (plan.tier.title()) " for " (order.machines) " machines: " (format::money(order.price, &plan.currency))
                " each " (plan.interval.name()) "."
            }
        }
        @if let Some(grant) = &order.grant {
            p {
                "Licensed: " (grant.tier.title()) " for " (grant.machines) " machines from " (format::day(grant.from))
                " until " (format::day(grant.until)) ". "
                a href={ "/organisations/" (order.organisation) "/licenses" } { "Licence" }
            }
        }
        @if let Some(period) = &order.unpaid {
            p.notice { "The period from " (format::day(period.from)) " is not paid yet." }
        }
    }
}

fn ways_to_pay(app: &App, order: &Order) -> Markup {
    let path = format!("/organisations/{}/orders/{}", order.organisation, order.id);
    let trial = order.grant.as_ref().is_some_and(|grant| grant.trial);
    let waits = trial || order.standing == Standing::Pending;
    html! {
        @if waits {
            h2 { "Pay" }
            @if app.payments.takes_cards() { (button(&format!("{path}/checkout"), "Pay by card", "")) " " }
            @if app.payments.takes_test_payments() {
                (button(&format!("{path}/test-payment"), "Pay with the test payment", "light"))
                p.dimmed { "Development only: it costs nothing and always works." }
            }
            p { "By invoice: ask for one with the order's number " code { (order.number) } ". The licence follows when it is paid." }
        }
    }
}

fn change_form(app: &App, order: &Order) -> Markup {
    let Some(grant) = &order.grant else { return html! {} };
    html! {
        h2 { "Change" }
        p { "More is charged for the rest of the term and holds at once; less begins with the next term." }
        form.row method="post" action={ "/organisations/" (order.organisation) "/orders/" (order.id) "/change" } {
            (field("Tier", html! {
                select name="tier" {
                    @for tier in Tier::ALL.into_iter().filter(|tier| *tier != Tier::Free) {
                        option value=(tier.name()) selected[tier == grant.tier] { (tier.title()) }
                    }
                }
            }))
            (field("Machines", html! {
                input type="number" name="machines" min="1" max=(app.config.catalogue.max_machines) value=(grant.machines) required;
            }))
            button.light type="submit" { "Change" }
        }
    }
}

async fn change(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((org, id)): Path<(Uuid, Uuid)>,
    Form(to): Form<ChangeOrder>,
) -> Result<Redirect, Problem> {
    Ok(to_order(&app.payments.change(&ctx, org, id, to).await?))
}

async fn checkout(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((org, id)): Path<(Uuid, Uuid)>,
) -> Result<Redirect, Problem> {
    Ok(Redirect::to(&app.payments.checkout(&ctx, org, id).await?.url))
}

async fn test_payment(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((org, id)): Path<(Uuid, Uuid)>,
) -> Result<Redirect, Problem> {
    Ok(to_order(&app.payments.test_payment(&ctx, org, id).await?))
}

async fn cancel(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((org, id)): Path<(Uuid, Uuid)>,
) -> Result<Redirect, Problem> {
    Ok(to_order(&app.payments.cancel(&ctx, org, id).await?))
}
