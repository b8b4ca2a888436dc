//! The marketplace as the API shows it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Broken, MarketplacePolicy, entity::download, window::Span};
use crate::license::OfflineLimit;

/// How ripe a version is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReleaseChannel)]
pub enum Channel {
    /// For everybody.
    #[default]
    Stable,
    /// Before it is for everybody.
    Beta,
    /// Kept for long, with few changes.
    Lts,
}

impl Channel {
    /// Whether somebody who follows this channel is offered versions of `other`: `stable` takes long-kept versions too,
    /// `beta` takes all, `lts` its own only.
    pub(super) fn takes(self, other: Self) -> bool {
        match self {
            Self::Stable => other != Self::Beta,
            Self::Beta => true,
            Self::Lts => other == Self::Lts,
        }
    }
}

/// What the host knows of its portal.
#[derive(Debug, Serialize, ToSchema)]
pub struct MarketplaceStatus {
    /// Whether the configuration lets the host speak to a portal.
    pub enabled: bool,
    /// Whether a portal is configured.
    pub configured: bool,
    /// Its address.
    pub url: Option<String>,
    /// When the catalogue was last seen whole and verified.
    pub checked_at: Option<DateTime<Utc>>,
    /// When that catalogue stops being believed.
    pub expires_at: Option<DateTime<Utc>>,
    /// What went wrong since.
    pub problem: Option<MarketplaceProblem>,
    /// Publishers whose part of the catalogue is left out.
    pub broken: Vec<Broken>,
    /// What the host does by itself.
    pub policy: MarketplacePolicy,
    /// The window that is open or comes next, where updates install themselves.
    pub next_window: Option<Span>,
    /// How many installed engines have an update.
    pub updates: usize,
    /// What the portal was told.
    pub contact: ContactStatus,
    /// Until when the licence lets the host be without contact; absent where it asks for none.
    pub offline: Option<OfflineLimit>,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MarketplaceProblem {
    /// Stable code.
    pub code: String,
    /// The reason's code, where the portal tells one.
    #[serde(default)]
    pub reason: Option<String>,
    /// What is wrong and what to do.
    pub detail: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// What the portal was told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContactStatus {
    /// When the portal last took what the host told it.
    #[serde(default)]
    pub last_at: Option<DateTime<Utc>>,
    /// When the host tries next; absent while the policy says no.
    #[serde(default)]
    pub next_at: Option<DateTime<Utc>>,
    /// What went wrong since.
    #[serde(default)]
    pub problem: Option<MarketplaceProblem>,
}

/// What the licence says of an offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MarketEntitlement {
    /// `granted`, `grace`, `read_only` or `locked`.
    pub state: String,
    /// Why, a code of the licence's decision.
    pub reason: String,
    /// What would help; absent when nothing is missing.
    pub unlocks: Option<String>,
}

/// Whether an offer runs here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MarketCompatibility {
    /// It does.
    pub ok: bool,
    /// Why it does not.
    pub why: Option<String>,
}

/// Something that is wrong with versions of an engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MarketAdvisory {
    /// Id.
    pub id: String,
    /// Versions it concerns, a requirement.
    pub versions: String,
    /// `low`, `medium`, `high` or `critical`.
    pub severity: String,
    /// One line.
    pub title: String,
    /// Text.
    pub detail: String,
    /// The version that mends it.
    pub fixed_in: Option<String>,
    /// When it was published.
    pub published_at: DateTime<Utc>,
    /// Whether it concerns the version in use here.
    pub affects_installed: bool,
}

/// An engine that the portal offers.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MarketEngine {
    /// Id.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// Who signed it.
    pub publisher: String,
    /// Tier, for display.
    pub tier: String,
    /// Newest version of the channel; absent when the channel has none.
    pub newest: Option<String>,
    /// Version in use here.
    pub installed: Option<String>,
    /// Whether `update_to` is there.
    pub update_available: bool,
    /// The version that an update brings: newer than the one in use, of the channel, licensed, compatible, and nothing is
    /// known to be wrong with it.
    pub update_to: Option<String>,
    /// What the licence says of the newest version.
    pub entitled: MarketEntitlement,
    /// Whether the newest version runs here.
    pub compatible: MarketCompatibility,
    /// What is known to be wrong with versions of it.
    pub advisories: Vec<MarketAdvisory>,
    /// The lowest version that is still good.
    pub lowest_good: Option<String>,
    /// Whether the version in use is below that.
    pub below_lowest_good: bool,
}

/// A version that the portal offers.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MarketVersion {
    /// Version.
    pub version: String,
    /// How ripe it is.
    pub channel: Channel,
    /// What is new.
    pub notes: String,
    /// Bytes; of the build for this system, where there is one.
    pub size: u64,
    /// When it was built.
    pub built_at: DateTime<Utc>,
    /// When it was published.
    pub published_at: DateTime<Utc>,
    /// Systems it was built for.
    pub targets: Vec<String>,
    /// What the licence says of it.
    pub entitled: MarketEntitlement,
    /// Whether it runs here.
    pub compatible: MarketCompatibility,
    /// Advisories that concern it.
    pub advisories: Vec<String>,
    /// Why it was swapped out again when it was tried here.
    pub bad: Option<String>,
}

/// An engine that the portal offers, with its versions.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MarketEngineDetail {
    /// The engine.
    #[serde(flatten)]
    pub engine: MarketEngine,
    /// Versions, newest first.
    pub versions: Vec<MarketVersion>,
}

/// Every engine that the portal offers.
#[derive(Debug, Serialize, ToSchema)]
pub struct MarketEngineList {
    /// By id.
    pub items: Vec<MarketEngine>,
}

/// How far a download is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DownloadState {
    /// Bytes come, or are waited for.
    Downloading,
    /// The package is verified.
    Verifying,
    /// The version comes up beside the one in use.
    Installing,
    /// The version is in use, or stored for when the licence and its switch let it.
    Done,
    /// It was given up; what was in use before goes on.
    Failed,
}

impl DownloadState {
    /// The name in the database and the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Downloading => "downloading",
            Self::Verifying => "verifying",
            Self::Installing => "installing",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    pub(super) fn named(name: &str) -> Self {
        match name {
            "downloading" => Self::Downloading,
            "verifying" => Self::Verifying,
            "installing" => Self::Installing,
            "done" => Self::Done,
            _ => Self::Failed,
        }
    }

    /// Whether it has ended.
    pub fn ended(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }
}

/// A download of an engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MarketDownload {
    /// Id.
    pub id: Uuid,
    /// Engine.
    pub engine: String,
    /// Version.
    pub version: String,
    /// How far it is.
    pub state: DownloadState,
    /// Bytes that are here.
    pub received: u64,
    /// Bytes in all.
    pub size: u64,
    /// Why it was given up, or what it waits for.
    pub error: Option<MarketplaceProblem>,
    /// Who asked for it.
    pub actor_name: String,
    /// Whether the policy asked for it.
    pub automatic: bool,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<download::Model> for MarketDownload {
    fn from(row: download::Model) -> Self {
        Self {
            id: row.id,
            engine: row.engine,
            version: row.version,
            state: DownloadState::named(&row.state),
            received: row.received.try_into().unwrap_or(0),
            size: row.size.try_into().unwrap_or(0),
            error: row.error.and_then(|e| serde_json::from_value(e).ok()),
            actor_name: row.actor_name,
            automatic: row.automatic,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// Downloads.
#[derive(Debug, Serialize, ToSchema)]
pub struct MarketDownloadList {
    /// Newest first; the last hundred.
    pub items: Vec<MarketDownload>,
}

/// What to install.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MarketInstall {
    /// Version; the newest that suits when absent.
    pub version: Option<String>,
}

/// What a bundle brought.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct MarketImport {
    /// Engines that were taken in.
    pub engines: Vec<MarketImported>,
    /// Whether it brought an edition of a licence that was new here.
    pub license: bool,
    /// Why a licence in it was not taken.
    pub license_problem: Option<MarketplaceProblem>,
    /// Whether it brought a revocation list that was new here.
    pub revocations: bool,
}

/// What became of one engine of a bundle.
#[derive(Debug, Serialize, ToSchema)]
pub struct MarketImported {
    /// Engine.
    pub engine: String,
    /// Version.
    pub version: String,
    /// State of the engine now; absent when it is not here.
    pub state: Option<String>,
    /// Why it was not taken in, or does not serve this version.
    pub problem: Option<MarketplaceProblem>,
}
