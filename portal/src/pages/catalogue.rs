//! The catalogue: plans and engines, and a page for each engine.

use std::sync::Arc;

use axum::{extract::State, response::Html};
use http::Method;
use maud::{Markup, html};

use super::{advisories, format, layout::page, prose};
use crate::{
    app::App,
    catalogue::{Plan, Tier},
    ctx::Ctx,
    http::{Access, Path, Routes},
    problem::Problem,
    releases::{Engine, Release},
};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.on(Method::GET, "/", Access::Public, catalogue).on(
        Method::GET,
        "/engines/{engine}",
        Access::Public,
        engine,
    )
}

async fn catalogue(ctx: Ctx, State(app): State<Arc<App>>) -> Result<Html<String>, Problem> {
    let engines = app.releases.engines().await?;
    let plans = &app.config.catalogue.plans;
    let content = html! {
        p { "The host and its agent are free. Engines add to them; a tier licenses engines for as many machines as you have." }
        h2 { "Plans" }
        div.cards { @for tier in Tier::ALL { (tier_card(tier, plans, &engines)) } }
        h2 { "Engines" }
        @if engines.is_empty() { p.dimmed { "None is published yet." } }
        div.cards {
            @for engine in &engines {
                section.card {
                    h3 { a href={ "/engines/" (engine.id) } { (engine.name) } }
                    p { (engine.description) }
                    p.dimmed { (tier_title(&engine.tier)) " · by " (engine.publisher) }
                    @if let Some(version) = engine.newest.get("stable") { p.dimmed { "Version " (version) } }
                }
            }
        }
    };
    Ok(page(&ctx, "Catalogue", content))
}

fn tier_card(tier: Tier, plans: &[Plan], engines: &[Engine]) -> Markup {
    let own = |e: &&Engine| Tier::named(&e.tier).is_some_and(|of| of <= tier);
    let count = engines.iter().filter(own).count();
    html! {
        section.card {
            h3 { (tier.title()) }
            @if tier == Tier::Free { p { "Nothing to pay." } }
            @for plan in plans.iter().filter(|plan| plan.tier == tier) { p { (format::price(plan)) } }
            p.dimmed { (count) @if count == 1 { " engine" } @else { " engines" } }
            @if tier != Tier::Free { p { a href="/organisations" { "Order" } } }
        }
    }
}

fn tier_title(name: &str) -> &str {
    match Tier::named(name) {
        Some(tier) => tier.title(),
        None => name,
    }
}

async fn engine(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(engine): Path<String>,
) -> Result<Html<String>, Problem> {
    let releases = app.releases.of_engine(&engine).await?;
    let newest = releases.first().ok_or_else(Problem::not_found)?;
    let known = app.advisories.list(Some(&engine)).await?;
    let content = html! {
        p { (newest.description) }
        p.dimmed { (tier_title(&newest.tier)) " · by " (newest.publisher) " · " code { (newest.engine) } }
        h2 { "Versions" }
        div.scroll {
            table {
                thead { tr { th { "Version" } th { "Channel" } th { "Published" } th { "Runs with" } th { "For" } } }
                tbody { @for release in &releases { (row(release)) } }
            }
        }
        (advisories::of_engine(&known))
        @if !newest.notes.is_empty() { h2 { "Release notes" } div.prose { (prose::render(&newest.notes)) } }
    };
    Ok(page(&ctx, &newest.name, content))
}

fn row(release: &Release) -> Markup {
    let needs = |what: &str| release.requires[what].as_str().unwrap_or("*").to_owned();
    html! {
        tr {
            td {
                (release.version)
                @if let Some(reason) = &release.yanked { br; span.badge.red { "Withdrawn" } " " (reason) }
            }
            td { (release.channel.name()) }
            td { (format::day(release.published_at)) }
            td { "host " (needs("host")) br; "agent " (needs("agent")) }
            td { @for file in &release.files { code { (file.target) } br; } }
        }
    }
}
