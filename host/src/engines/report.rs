//! What API, console and CLI show of an engine.

use std::{collections::BTreeMap, sync::PoisonError, sync::atomic::Ordering};

use chrono::{DateTime, Utc};
use plugin_api::Capability;
use plugin_runtime::Mode;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    EngineFault, RefusedFile,
    live::{Entry, Live},
    service::Engines,
    services::settings,
    state::State,
    store,
};
use crate::ctx::Ctx;

/// An engine in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct EngineSummary {
    /// Id.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// Version in use; absent when uninstalled.
    pub version: Option<String>,
    /// What it is doing, and why.
    #[serde(flatten)]
    pub state: State,
    /// What to do about it; empty when nothing.
    pub remedy: String,
    /// `in_process` or `isolated`.
    pub mode: String,
    /// Tier, for display.
    pub tier: String,
    /// What went wrong with another version.
    pub failure: Option<String>,
}

/// Every engine, and every file that was refused.
#[derive(Debug, Serialize, ToSchema)]
pub struct EngineList {
    /// Engines by id.
    pub items: Vec<EngineSummary>,
    /// Files that are no engines.
    pub refused: Vec<RefusedFile>,
}

/// A stored version.
#[derive(Debug, Serialize, ToSchema)]
pub struct StoredVersion {
    /// Version.
    pub version: String,
    /// SHA-256 of the package.
    pub sha256: String,
    /// Bytes.
    pub size: i64,
    /// Who signed it.
    pub publisher: String,
    /// Realm of the root it leads to.
    pub realm: String,
    /// Why it is not used.
    pub bad: Option<String>,
    /// When it was admitted.
    pub admitted_at: DateTime<Utc>,
}

/// A capability that the engine asks for.
#[derive(Debug, Serialize, ToSchema)]
pub struct CapabilityReport {
    /// Name.
    pub name: String,
    /// What granting it lets the engine do.
    pub describes: String,
    /// Whether it is granted.
    pub granted: bool,
    /// Who decided.
    pub decided_by: Option<String>,
}

/// Who signed the version in use.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignatureReport {
    /// Publisher.
    pub publisher: String,
    /// Id of the key.
    pub key: String,
    /// Serial of the certificate.
    pub certificate: String,
    /// Root it leads to.
    pub root: String,
    /// SHA-256 of the package.
    pub sha256: String,
}

/// Calls since the version came up.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatsReport {
    /// Calls of its routes.
    pub calls: u64,
    /// Calls that ended with a 5xx.
    pub errors: u64,
    /// 99th percentile of the last 1024, in microseconds.
    pub p99_us: u64,
    /// Calls that run now.
    pub in_flight: u64,
    /// Panics.
    pub panics: u64,
    /// Times its process died and was started again.
    pub restarts: u64,
    /// Transactions open now.
    pub open_transactions: usize,
}

/// Everything about an engine.
#[derive(Debug, Serialize, ToSchema)]
pub struct EngineReport {
    /// The summary.
    #[serde(flatten)]
    pub summary: EngineSummary,
    /// What the licence says.
    #[schema(value_type = Object)]
    pub license: Value,
    /// The highest version ever installed: nothing below is installed.
    pub version_floor: String,
    /// Version before the one in use.
    pub previous: Option<String>,
    /// Stored versions.
    pub versions: Vec<StoredVersion>,
    /// Signature of the version in use, while it is loaded.
    pub signature: Option<SignatureReport>,
    /// Capabilities asked for.
    pub capabilities: Vec<CapabilityReport>,
    /// Views it may read, topics it receives, origins it fetches from.
    #[schema(value_type = Object)]
    pub limits: Value,
    /// Tables it made.
    pub tables: Vec<String>,
    /// Number of operations of its API.
    pub routes: usize,
    /// Commands of its agent half.
    pub commands: Vec<String>,
    /// Permissions it adds.
    pub permissions: Vec<String>,
    /// Engines it calls.
    pub depends_on: Vec<String>,
    /// Timers it has set.
    pub jobs: usize,
    /// Data sets it offers.
    pub datasets: Vec<String>,
    /// Settings in force.
    #[schema(value_type = Object)]
    pub settings: BTreeMap<String, Value>,
    /// Entries in the console's navigation.
    #[schema(value_type = Object)]
    pub navigation: Value,
    /// Calls.
    pub stats: Option<StatsReport>,
}

impl Engines {
    /// Every engine.
    ///
    /// # Errors
    /// [`EngineFault::Forbidden`].
    pub fn list(&self, ctx: &Ctx) -> Result<EngineList, EngineFault> {
        ctx.require("engines:read")?;
        let refused = self.0.refused.read().unwrap_or_else(PoisonError::into_inner);
        Ok(EngineList {
            items: self.entries().iter().map(|e| self.summary(e)).collect(),
            refused: refused.values().cloned().collect(),
        })
    }

    fn summary(&self, entry: &Entry) -> EngineSummary {
        let (row, manifest, state) = (entry.row(), entry.manifest(), self.entry_state(entry));
        let text =
            |f: fn(&plugin_api::Manifest) -> &str| manifest.as_deref().map(f).unwrap_or_default().to_owned();
        EngineSummary {
            id: entry.id.clone(),
            name: text(|m| &m.name),
            description: text(|m| &m.description),
            version: row.current,
            remedy: state.remedy().into(),
            state,
            mode: match self.mode(entry) {
                Mode::InProcess => "in_process".into(),
                Mode::Isolated => "isolated".into(),
            },
            tier: text(|m| &m.tier),
            failure: row.failure,
        }
    }

    /// One engine.
    ///
    /// # Errors
    /// [`EngineFault::Unknown`].
    pub async fn report(&self, ctx: &Ctx, id: &str) -> Result<EngineReport, EngineFault> {
        ctx.require("engines:read")?;
        let entry = self.known(id)?;
        let (db, row, manifest, live) = (self.0.core.db.read(), entry.row(), entry.manifest(), entry.live());
        let grants = store::grants(db, id).await?;
        let capability = |c: &Capability| CapabilityReport {
            name: c.name().into(),
            describes: c.describes().into(),
            granted: grants.get(c.name()).is_some_and(|g| g.granted),
            decided_by: grants.get(c.name()).map(|g| g.decided_by.clone()),
        };
        let set = self.0.core.settings.all(id).await?;
        let versions = store::versions(db, id).await?.into_iter().map(|v| StoredVersion {
            version: v.version,
            sha256: v.sha256,
            size: v.size,
            publisher: v.publisher,
            realm: v.realm,
            bad: v.bad,
            admitted_at: v.admitted_at,
        });
        let names =
            |f: fn(&plugin_api::Manifest) -> Vec<String>| manifest.as_deref().map(f).unwrap_or_default();
        let datasets = entry.dataset_names();
        let json = |v: Result<Value, _>| v.map_err(|e: serde_json::Error| EngineFault::Failed(e.to_string()));
        Ok(EngineReport {
            summary: self.summary(&entry),
            license: json(serde_json::to_value(self.entry_decision(&entry)))?,
            version_floor: row.highest,
            previous: row.previous,
            versions: versions.collect(),
            signature: live.as_deref().map(signature),
            capabilities: manifest.iter().flat_map(|m| &m.capabilities.uses).map(capability).collect(),
            limits: json(serde_json::to_value(manifest.as_deref().map(|m| &m.capabilities)))?,
            tables: self.0.database.tables(id).await?.into_iter().collect(),
            routes: live.as_ref().map_or(0, |l| l.routes.count()),
            commands: names(|m| m.commands.iter().map(|c| m.qualified_command(&c.name)).collect()),
            permissions: names(|m| m.permissions.iter().map(|p| p.name.clone()).collect()),
            depends_on: names(|m| m.depends_on.iter().map(|d| format!("{} {}", d.id, d.version)).collect()),
            jobs: self.jobs().list(id).await?.len(),
            datasets,
            settings: manifest.as_deref().map(|m| settings::effective(m, set)).unwrap_or_default(),
            navigation: json(serde_json::to_value(manifest.as_deref().map(|m| &m.navigation)))?,
            stats: live.as_deref().map(stats),
        })
    }
}

fn signature(live: &Live) -> SignatureReport {
    let signer = live.package.signer();
    SignatureReport {
        publisher: signer.subject.clone(),
        key: signer.key_id.to_string(),
        certificate: signer.serial.clone(),
        root: signer.root.clone(),
        sha256: live.package.digest().to_string(),
    }
}

fn stats(live: &Live) -> StatsReport {
    let run = live.instance.stats();
    StatsReport {
        calls: live.stats.calls.load(Ordering::Relaxed),
        errors: live.stats.errors.load(Ordering::Relaxed),
        p99_us: live.stats.p99_us(),
        in_flight: run.in_flight,
        panics: run.panicked,
        restarts: run.crashed,
        open_transactions: live.sql.as_ref().map_or(0, plugin_sql::EngineSql::open_transactions),
    }
}
