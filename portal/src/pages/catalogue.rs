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
    releases::{Asks, Engine, Release, Screenshot},
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
    let pictures = app.releases.all_screenshots().await?;
    let plans = &app.config.catalogue.plans;
    let content = html! {
        p { "The host and its agent are free. Engines add to them; a tier licenses engines for as many machines as you have." }
        h2 { "Plans" }
        div.cards { @for tier in Tier::ALL { (tier_card(tier, plans, &engines)) } }
        h2 { "Engines" }
        @if engines.is_empty() { p.dimmed { "None is published yet." } }
        div.cards {
            @for engine in &engines { (engine_card(engine, pictures.iter().find(|picture| picture.engine == engine.id))) }
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

fn engine_card(engine: &Engine, picture: Option<&Screenshot>) -> Markup {
    html! {
        section.card {
            @if let Some(picture) = picture { (image(picture, true)) }
            h3 { a href={ "/engines/" (engine.id) } { (engine.name) } }
            p { (engine.description) }
            p.dimmed { (tier_title(&engine.tier)) " · by " (engine.publisher) }
            @if let Some(version) = engine.newest.get("stable") { p.dimmed { "Version " (version) } }
        }
    }
}

/// A picture; its size is told, so that the page does not jump when it comes.
fn image(picture: &Screenshot, decorative: bool) -> Markup {
    let alt = if decorative { "" } else { picture.caption.as_str() };
    html! {
        img.shot src={ "/images/" (picture.sha256) } alt=(alt) width=(picture.width) height=(picture.height) loading="lazy";
    }
}

async fn engine(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(engine): Path<String>,
) -> Result<Html<String>, Problem> {
    let releases = app.releases.of_engine(&engine).await?;
    let newest = releases.iter().find(|release| release.yanked.is_none()).or(releases.first());
    let newest = newest.ok_or_else(Problem::not_found)?;
    let known = app.advisories.list(Some(&engine)).await?;
    let floors = app.advisories.floors().await?;
    let floor = floors.iter().find(|floor| floor.engine == engine);
    let pictures = app.releases.screenshots(&engine).await?;
    let content = html! {
        p { (newest.description) }
        p.dimmed { (tier_title(&newest.tier)) " · by " (newest.publisher) " · " code { (newest.engine) } }
        @if !pictures.is_empty() {
            div.shots { @for picture in &pictures { figure { (image(picture, false)) figcaption.dimmed { (picture.caption) } } } }
        }
        (advisories::of_engine(&known))
        h2 { "Versions" }
        @if let Some(floor) = floor { p { "Hosts install nothing below " strong { (floor.version) } "." } }
        @for release in &releases { (version(release, std::ptr::eq(release, newest))) }
        h2 { "Compatibility" }
        (matrix(&releases))
        @if let Some(asks) = &newest.asks { h2 { "What it asks for" } (asked(asks)) }
    };
    Ok(page(&ctx, &newest.name, content))
}

/// A version with its notes; the newest is open.
fn version(release: &Release, open: bool) -> Markup {
    html! {
        details.version open[open] {
            summary {
                strong { (release.version) } " " span.dimmed { (release.channel.name()) ", " (format::day(release.published_at)) }
                @if release.yanked.is_some() { " " span.badge.red { "Withdrawn" } }
            }
            @if let Some(reason) = &release.yanked { p { (reason) } }
            div.prose { (prose::render(&release.notes)) }
            @if release.notes.trim().is_empty() { p.dimmed { "No release notes." } }
            @if release.conformance.is_some() { p.dimmed { "Published with a conformance report." } }
        }
    }
}

/// Which version runs where and with what.
fn matrix(releases: &[Release]) -> Markup {
    let mut targets: Vec<&str> =
        releases.iter().flat_map(|release| &release.files).map(|file| file.target.as_str()).collect();
    targets.sort_unstable();
    targets.dedup();
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th { "Version" } th { "Host" } th { "Agent" } th { "Plugin API" }
                        @for target in &targets { th { code { (target) } } }
                    }
                }
                tbody { @for release in releases { (matrix_row(release, &targets)) } }
            }
        }
    }
}

fn matrix_row(release: &Release, targets: &[&str]) -> Markup {
    let needs = |what: &str| release.requires[what].as_str().unwrap_or("*").to_owned();
    let runs_on = |target: &str| release.files.iter().any(|file| file.target == target);
    html! {
        tr {
            td { (release.version) }
            @for what in ["host", "agent", "api"] { td { code { (needs(what)) } } }
            @for target in targets { td { @if runs_on(target) { "yes" } @else { span.dimmed { "no" } } } }
        }
    }
}

/// What an administrator grants by installing it.
fn asked(asks: &Asks) -> Markup {
    let lists = [
        ("Services of the host", &asks.services),
        ("Data of the host that it reads", &asks.views),
        ("Events that it receives", &asks.events),
        ("Addresses that it fetches from", &asks.origins),
        ("Commands on machines", &asks.commands),
    ];
    html! {
        dl {
            @for (label, items) in lists.iter().filter(|(_, items)| !items.is_empty()) {
                dt { (label) }
                dd { @for item in items.iter() { code { (item) } " " } }
            }
            @if let Some(mib) = asks.files_mib { dt { "A folder of its own" } dd { (mib) " MiB" } }
        }
        @if !asks.permissions.is_empty() {
            h3 { "Permissions that it adds" }
            div.scroll {
                table { tbody { @for (name, allows) in &asks.permissions { tr { td { code { (name) } } td { (allows) } } } } }
            }
        }
    }
}
