//! Advisories: on an engine's page, and where the vendor writes them.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{Html, Redirect},
};
use http::Method;
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    format,
    layout::{button, field},
    vendor::vendor,
};
use crate::{
    advisories::{Advisory, AdvisoryError, NewAdvisory, Severity},
    app::App,
    ctx::Ctx,
    http::{Access, Form, Path, Routes},
    problem::Problem,
};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .on(Method::GET, "/vendor/advisories", Access::Staff, list)
        .on(Method::POST, "/vendor/advisories", Access::Staff, publish)
        .on(Method::GET, "/vendor/advisories/{id}", Access::Staff, edit)
        .on(Method::POST, "/vendor/advisories/{id}", Access::Staff, update)
        .on(Method::POST, "/vendor/advisories/{id}/withdraw", Access::Staff, withdraw)
        .on(Method::POST, "/vendor/floors", Access::Staff, set_floor)
        .on(Method::POST, "/vendor/floors/{engine}/remove", Access::Staff, remove_floor)
}

/// What is known against an engine, on its page.
pub(super) fn of_engine(advisories: &[Advisory]) -> Markup {
    html! {
        @if !advisories.is_empty() {
            h2 { "Advisories" }
            @for advisory in advisories {
                section.card #(advisory.id) {
                    h3 { (severity(advisory.says.severity)) " " (advisory.says.title) }
                    p.dimmed {
                        (advisory.id) ", " (format::day(advisory.published_at)) " · versions " code { (advisory.says.versions) }
                        @if let Some(fixed) = &advisory.says.fixed_in { " · fixed in " (fixed) }
                    }
                    div.prose { (super::prose::render(&advisory.says.detail)) }
                }
            }
        }
    }
}

/// In words, and in a colour that only repeats them.
fn severity(severity: Severity) -> Markup {
    let (class, words) = match severity {
        Severity::Low => ("gray", "Low"),
        Severity::Medium => ("blue", "Medium"),
        Severity::High => ("orange", "High"),
        Severity::Critical => ("red", "Critical"),
    };
    html! { span.badge.(class) { (words) } }
}

#[derive(Deserialize, Default)]
struct Written {
    engine: String,
    versions: String,
    severity: String,
    title: String,
    detail: String,
    #[serde(default)]
    fixed_in: String,
}

impl Written {
    fn read(self) -> Result<NewAdvisory, AdvisoryError> {
        let wrong = |field, why: String| AdvisoryError::Invalid(field, why);
        let versions = self.versions.trim().parse();
        let fixed = Some(self.fixed_in.trim()).filter(|text| !text.is_empty()).map(str::parse).transpose();
        Ok(NewAdvisory {
            engine: self.engine.trim().to_owned(),
            versions: versions
                .map_err(|e| wrong("versions", format!("Versions such as `>=1.0.0, <1.2.3`: {e}.")))?,
            severity: Severity::named(&self.severity)
                .ok_or_else(|| wrong("severity", "Choose a severity.".into()))?,
            title: self.title,
            detail: self.detail,
            fixed_in: fixed.map_err(|e| wrong("fixed_in", format!("A version such as `1.2.3`: {e}.")))?,
        })
    }

    fn of(advisory: &Advisory) -> Self {
        let says = advisory.says.clone();
        Self {
            engine: says.engine,
            versions: says.versions.to_string(),
            severity: says.severity.name().into(),
            title: says.title,
            detail: says.detail,
            fixed_in: says.fixed_in.map(|v| v.to_string()).unwrap_or_default(),
        }
    }
}

fn form(action: &str, written: &Written, engines: &[String], label: &str) -> Markup {
    html! {
        form.stack.wide method="post" action=(action) {
            (field("Engine", html! {
                select name="engine" { @for id in engines { option value=(id) selected[*id == written.engine] { (id) } } }
            }))
            (field("Versions", html! { input name="versions" value=(written.versions) placeholder="<1.2.3" required; }))
            (field("Severity", html! {
                select name="severity" {
                    @for one in Severity::ALL { option value=(one.name()) selected[one.name() == written.severity] { (one.name()) } }
                }
            }))
            (field("Title", html! { input name="title" value=(written.title) maxlength="200" required; }))
            (field("What happens, whom it concerns, what to do", html! {
                textarea name="detail" rows="8" maxlength="10000" required { (written.detail) }
            }))
            (field("Fixed in", html! { input name="fixed_in" value=(written.fixed_in) placeholder="1.2.3"; }))
            div { button type="submit" { (label) } }
        }
    }
}

async fn list(ctx: Ctx, State(app): State<Arc<App>>) -> Result<Html<String>, Problem> {
    let advisories = app.advisories.list_all(&ctx).await?;
    let floors = app.advisories.floors().await?;
    let engines = ids(&app).await?;
    let content = html! {
        div.scroll {
            table {
                thead { tr { th { "Id" } th { "Engine" } th { "Versions" } th { "What" } th { "Published" } th { "" } } }
                tbody { @for advisory in &advisories { (advisory_row(advisory)) } }
            }
        }
        @if advisories.is_empty() { p.dimmed { "None was published." } }
        h2 { "Lowest good versions" }
        p { "Hosts install nothing below these. They are in the signed revocation list." }
        div.scroll {
            table {
                thead { tr { th { "Engine" } th { "Lowest good version" } th { "Since" } th { "" } } }
                tbody {
                    @for floor in &floors {
                        tr {
                            td { (floor.engine) } td { (floor.version) } td { (format::day(floor.set_at)) }
                            td { (button(&format!("/vendor/floors/{}/remove", floor.engine), "Take away", "light")) }
                        }
                    }
                }
            }
        }
        form.row method="post" action="/vendor/floors" {
            (field("Engine", html! { select name="engine" { @for id in &engines { option value=(id) { (id) } } } }))
            (field("Lowest good version", html! { input name="version" required; }))
            button.light type="submit" { "Set" }
        }
        h2 { "New advisory" }
        (form("/vendor/advisories", &Written::default(), &engines, "Publish"))
    };
    Ok(vendor(&ctx, "/vendor/advisories", "Advisories", content))
}

fn advisory_row(advisory: &Advisory) -> Markup {
    let path = format!("/vendor/advisories/{}", advisory.id);
    html! {
        tr {
            td { (advisory.id) }
            td { (advisory.says.engine) }
            td { code { (advisory.says.versions) } }
            td { (severity(advisory.says.severity)) " " (advisory.says.title) }
            td { (format::day(advisory.published_at)) }
            td {
                @if advisory.withdrawn_at.is_some() { span.badge.gray { "Withdrawn" } } @else {
                    a href=(path) { "Edit" } " " (button(&format!("{path}/withdraw"), "Withdraw", "light"))
                }
            }
        }
    }
}

/// Ids of engines that there are.
async fn ids(app: &App) -> Result<Vec<String>, Problem> {
    Ok(app.releases.engines().await?.into_iter().map(|engine| engine.id).collect())
}

async fn publish(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Form(written): Form<Written>,
) -> Result<Redirect, Problem> {
    app.advisories.publish(&ctx, written.read()?).await?;
    Ok(Redirect::to("/vendor/advisories"))
}

async fn edit(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Html<String>, Problem> {
    let advisory = app.advisories.get(&ctx, &id).await?;
    let path = format!("/vendor/advisories/{id}");
    let mut engines = ids(&app).await?;
    if !engines.contains(&advisory.says.engine) {
        engines.push(advisory.says.engine.clone());
    }
    let content = form(&path, &Written::of(&advisory), &engines, "Change");
    Ok(vendor(&ctx, "/vendor/advisories", &advisory.id, content))
}

async fn update(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Form(written): Form<Written>,
) -> Result<Redirect, Problem> {
    app.advisories.update(&ctx, &id, written.read()?).await?;
    Ok(Redirect::to("/vendor/advisories"))
}

async fn withdraw(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Redirect, Problem> {
    app.advisories.withdraw(&ctx, &id).await?;
    Ok(Redirect::to("/vendor/advisories"))
}

#[derive(Deserialize)]
struct Lowest {
    engine: String,
    version: String,
}

async fn set_floor(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Form(lowest): Form<Lowest>,
) -> Result<Redirect, Problem> {
    let version = lowest.version.trim().parse();
    let version =
        version.map_err(|e| AdvisoryError::Invalid("version", format!("A version such as `1.2.3`: {e}.")))?;
    app.advisories.set_floor(&ctx, lowest.engine.trim(), version).await?;
    Ok(Redirect::to("/vendor/advisories"))
}

async fn remove_floor(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(engine): Path<String>,
) -> Result<Redirect, Problem> {
    app.advisories.remove_floor(&ctx, &engine).await?;
    Ok(Redirect::to("/vendor/advisories"))
}
