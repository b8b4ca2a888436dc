//! What the console has to load, and what it shows in the place of a page that is locked.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use plugin_api::Manifest;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    ctx::Ctx,
    engines::{
        live::{Entry, Live},
        service::Engines,
        state::State,
    },
};

/// A file to load.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::engines) struct UiFile {
    /// Address on this host; another package has another one.
    href: String,
    /// Hash for the browser, from the signed manifest: `sha256-...`.
    integrity: String,
}

/// A page that the signed manifest declares.
#[derive(Debug, Serialize, ToSchema)]
struct UiPage {
    /// Label.
    label: String,
    /// Path below the engine's page.
    path: String,
    /// Whether the caller may open it.
    allowed: bool,
}

/// The pages of one engine.
#[derive(Debug, Serialize, ToSchema)]
struct EngineUi {
    /// Engine.
    id: String,
    /// Name for people.
    name: String,
    /// One sentence.
    description: String,
    /// Version in use.
    version: String,
    /// Tier, for display.
    tier: String,
    /// What it is doing, and why.
    #[serde(flatten)]
    state: State,
    /// What to do about it; empty when nothing.
    remedy: String,
    /// `granted`, `grace`, `read_only` or `locked`.
    entitlement: String,
    /// What the licence says of it, in one sentence.
    sentence: String,
    /// What would unlock it.
    unlocks: Option<String>,
    /// Until when the grace after the licence's term lasts, or since when the engine only reads.
    turns_at: Option<chrono::DateTime<chrono::Utc>>,
    /// Digest of the package in use, while it serves.
    digest: Option<String>,
    /// The module that registers the pages; absent while the engine does not serve.
    entry: Option<UiFile>,
    /// Style sheets of the pages.
    styles: Vec<UiFile>,
    /// Pages.
    navigation: Vec<UiPage>,
}

/// Engines with pages.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::engines) struct EngineUiList {
    /// By id.
    items: Vec<EngineUi>,
}

/// Every installed engine that has pages, for any caller: what they may not open says so.
pub(in crate::engines) fn list(engines: &Engines, ctx: &Ctx) -> EngineUiList {
    EngineUiList { items: engines.entries().iter().filter_map(|entry| ui(engines, ctx, entry)).collect() }
}

fn ui(engines: &Engines, ctx: &Ctx, entry: &Entry) -> Option<EngineUi> {
    let version = entry.row().current?;
    let manifest = entry.manifest()?;
    if manifest.navigation.is_empty() && manifest.ui.is_none() {
        return None;
    }
    let (decision, state) = (engines.entry_decision(entry), engines.entry_state(entry));
    let live = if state.serves() { entry.live() } else { None };
    let (entry_file, styles) = live.as_deref().map(files).unwrap_or_default();
    Some(EngineUi {
        id: entry.id.clone(),
        name: manifest.name.clone(),
        description: manifest.description.clone(),
        version,
        tier: manifest.tier.clone(),
        remedy: state.remedy().into(),
        state,
        entitlement: decision.entitlement.state().into(),
        sentence: entry.build().map(|b| decision.sentence(&b)).unwrap_or_default(),
        unlocks: entry.build().and_then(|b| decision.unlocks(&b)),
        turns_at: match decision.entitlement {
            licenses::Entitlement::Grace { until } => Some(until),
            licenses::Entitlement::ReadOnly { since, .. } => Some(since),
            _ => None,
        },
        digest: live.as_ref().map(|l| l.package.digest().to_string()),
        entry: entry_file,
        styles,
        navigation: pages(ctx, &manifest),
    })
}

fn pages(ctx: &Ctx, manifest: &Manifest) -> Vec<UiPage> {
    let page = |n: &plugin_api::manifest::Navigation| UiPage {
        label: n.label.clone(),
        path: n.path.clone(),
        allowed: n.permission.as_ref().is_none_or(|p| ctx.allows(p)),
    };
    manifest.navigation.iter().map(page).collect()
}

fn files(live: &Live) -> (Option<UiFile>, Vec<UiFile>) {
    let Some(ui) = &live.manifest().ui else { return (None, Vec::new()) };
    (file(live, &ui.entry), ui.styles.iter().filter_map(|path| file(live, path)).collect())
}

fn file(live: &Live, path: &str) -> Option<UiFile> {
    let (manifest, digest) = (live.manifest(), live.package.digest());
    let listed = manifest.files.iter().find(|f| f.path.strip_prefix("ui/") == Some(path))?;
    Some(UiFile {
        href: format!("/engines/{}/ui/{digest}/{path}", manifest.id),
        integrity: format!("sha256-{}", BASE64_STANDARD.encode(listed.sha256.0)),
    })
}
