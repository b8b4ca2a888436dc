//! The vendor's figures: what was earned, and what was downloaded.

use std::{collections::BTreeMap, sync::Arc};

use axum::{extract::State, response::Html};
use http::Method;
use maud::{Markup, html};

use super::{format, vendor::vendor};
use crate::{
    app::App,
    ctx::Ctx,
    http::{Access, Routes},
    orders::Revenue,
    problem::Problem,
    releases::Downloaded,
};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.on(Method::GET, "/vendor/revenue", Access::Staff, revenue).on(
        Method::GET,
        "/vendor/downloads",
        Access::Staff,
        downloads,
    )
}

async fn revenue(ctx: Ctx, State(app): State<Arc<App>>) -> Result<Html<String>, Problem> {
    let rows = app.orders.revenue(&ctx).await?;
    let mut totals: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for row in &rows {
        *totals.entry((&row.month, &row.currency)).or_default() += row.net();
    }
    let content = html! {
        p { "Payments by the month in which they were made; refunds and chargebacks by the month in which the money went back. \
             Months are in UTC." }
        @if rows.is_empty() { p.dimmed { "Nothing was paid yet." } } @else {
            h2 { "By month" }
            div.scroll {
                table {
                    thead { tr { th { "Month" } th.number { "Net" } } }
                    tbody {
                        @for ((month, currency), net) in totals.iter().rev() {
                            tr { td { (month) } td.number { (format::money(*net, currency)) } }
                        }
                    }
                }
            }
            h2 { "By tier" }
            div.scroll {
                table {
                    thead { tr { th { "Month" } th { "Tier" } th.number { "Payments" } th.number { "Paid" } th.number { "Went back" } th.number { "Net" } } }
                    tbody { @for row in &rows { (revenue_row(row)) } }
                }
            }
        }
    };
    Ok(vendor(&ctx, "/vendor/revenue", "Revenue", content))
}

fn revenue_row(row: &Revenue) -> Markup {
    html! {
        tr {
            td { (row.month) }
            td { (row.tier.title()) }
            td.number { (row.payments) }
            td.number { (format::money(row.paid, &row.currency)) }
            td.number { (format::money(row.returned, &row.currency)) }
            td.number { (format::money(row.net(), &row.currency)) }
        }
    }
}

async fn downloads(ctx: Ctx, State(app): State<Arc<App>>) -> Result<Html<String>, Problem> {
    let days = app.releases.downloaded(&ctx).await?;
    let mut versions: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for day in &days {
        *versions.entry((&day.engine, &day.version)).or_default() += day.count;
    }
    let content = html! {
        p { "Downloads that began, of the last 90 days. A download that is resumed counts once." }
        @if days.is_empty() { p.dimmed { "None yet." } } @else {
            h2 { "By version" }
            div.scroll {
                table {
                    thead { tr { th { "Engine" } th { "Version" } th.number { "Downloads" } } }
                    tbody {
                        @for ((engine, version), count) in &versions {
                            tr { td { (engine) } td { (version) } td.number { (count) } }
                        }
                    }
                }
            }
            h2 { "By day" }
            div.scroll {
                table {
                    thead { tr { th { "Day" } th { "Engine" } th { "Version" } th { "Target" } th.number { "Downloads" } } }
                    tbody { @for day in &days { (day_row(day)) } }
                }
            }
        }
    };
    Ok(vendor(&ctx, "/vendor/downloads", "Downloads", content))
}

fn day_row(day: &Downloaded) -> Markup {
    html! {
        tr {
            td { (day.day) }
            td { (day.engine) }
            td { (day.version) }
            td { code { (day.target) } }
            td.number { (day.count) }
        }
    }
}
