//! What hosts said they used: for customers, and for the vendor.

use std::sync::Arc;

use axum::{extract::State, response::Html};
use http::Method;
use maud::{Markup, html};
use uuid::Uuid;

use super::{format, layout::section};
use crate::{
    app::App,
    ctx::{Ctx, Permission},
    hosts::{KeptReceipt, UsedBy},
    http::{Access, Path, Query, Routes},
    problem::Problem,
};

pub(super) fn routes(routes: Routes) -> Routes {
    let access = Access::Member(Permission::LicensesRead);
    routes.on(Method::GET, "/organisations/{org}/usage", access, usage)
}

async fn usage(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(org): Path<Uuid>,
    Query(which): Query<crate::hosts::Which>,
) -> Result<Html<String>, Problem> {
    let hosts = app.hosts.used_by(&ctx, org).await?;
    let receipts = app.hosts.receipts(&ctx, org, &which).await?;
    let content = html! {
        p { "Hosts that are allowed to call the portal hand in a receipt of what they used. Host and portal sign it, so that \
             neither can change it later." }
        (tables(&hosts, &receipts))
        p.dimmed { "With both signatures: " code { "GET /api/v1/organisations/" (org) "/receipts" } }
    };
    Ok(section(&ctx, org, "/usage", "Usage", content))
}

/// Hosts and their receipts.
pub(super) fn tables(hosts: &[UsedBy], receipts: &[KeptReceipt]) -> Markup {
    html! {
        h2 { "Hosts" }
        @if hosts.is_empty() { p.dimmed { "None has called." } } @else {
            div.scroll {
                table {
                    thead { tr { th { "Instance" } th { "Licence" } th { "Version" } th { "Engines" } th { "Last call" } th { "Machines" } } }
                    tbody { @for host in hosts { (host_row(host)) } }
                }
            }
        }
        h2 { "Receipts" }
        @if receipts.is_empty() { p.dimmed { "None yet." } } @else {
            div.scroll {
                table {
                    thead { tr { th { "Period" } th { "Instance" } th { "Number" } th { "Machines" } th { "Child machines" } th { "Taken" } } }
                    tbody {
                        @for receipt in receipts {
                            tr {
                                td { (format::moment(receipt.from)) " – " (format::moment(receipt.until)) }
                                td { code { (short(&receipt.instance)) } }
                                td { (receipt.sequence) }
                                td { (receipt.machines) }
                                td { (receipt.child_machines) }
                                td { (format::moment(receipt.received_at)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn host_row(host: &UsedBy) -> Markup {
    let engines = host.engines.as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    html! {
        tr {
            td { code { (host.instance) } }
            td { code { (host.license) } }
            td { (host.host_version) }
            td { @for engine in engines { (text(&engine["id"])) " " (text(&engine["version"])) br; } }
            td { (format::moment(host.last_at)) }
            td { @if let Some(last) = &host.last { (last.machines) } @else { span.dimmed { "no receipt" } } }
        }
    }
}

/// The beginning of an id: enough to tell a customer's few hosts apart.
fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}
