//! The service: the vendor makes, changes and withdraws advisories and floors; everybody reads them.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Datelike, Utc};
use sea_orm::DatabaseTransaction;
use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};

use super::{
    AdvisoryError,
    entity::{advisory, floor},
    store,
};
use crate::{app::Core, audit::Change, ctx::Ctx, releases};

/// How bad it is.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    clap::ValueEnum,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// Update when convenient.
    Medium,
    /// Update soon.
    High,
    /// Update now.
    Critical,
}

impl Severity {
    /// Every severity.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.name() == name)
    }
}

/// What an advisory says.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAdvisory {
    /// The engine.
    pub engine: String,
    /// Which versions.
    #[schema(value_type = String)]
    pub versions: VersionReq,
    /// How bad it is.
    pub severity: Severity,
    /// In one line.
    pub title: String,
    /// What happens, whom it concerns and what to do.
    pub detail: String,
    /// The first version without it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub fixed_in: Option<Version>,
}

/// An advisory.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Advisory {
    /// Id: `SMA-2026-0001`.
    pub id: String,
    /// What it says.
    #[serde(flatten)]
    pub says: NewAdvisory,
    /// When it was published.
    pub published_at: DateTime<Utc>,
    /// When it was changed last.
    pub changed_at: DateTime<Utc>,
    /// When it was withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<DateTime<Utc>>,
}

/// The lowest good version of an engine.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Floor {
    /// The engine.
    pub engine: String,
    /// Versions below this one must not be installed.
    #[schema(value_type = String)]
    pub version: Version,
    /// Since when.
    pub set_at: DateTime<Utc>,
}

/// `advisories.json` and `floors.json`, as hosts read them. The same rows make the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Documents {
    /// Every advisory that was not withdrawn, the oldest first.
    pub advisories: Vec<u8>,
    /// The lowest good version of each engine that has one.
    pub floors: Vec<u8>,
}

/// The service.
pub struct Advisories {
    core: Arc<Core>,
}

impl Advisories {
    /// Build over the shared part.
    pub fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Advisories, the newest first; of one engine, or of all.
    pub async fn list(&self, engine: Option<&str>) -> Result<Vec<Advisory>, AdvisoryError> {
        let rows = store::list(self.core.db.read(), engine, false).await?;
        Ok(rows.into_iter().filter_map(view).collect())
    }

    /// Those that were withdrawn too, for the vendor.
    pub async fn list_all(&self, ctx: &Ctx) -> Result<Vec<Advisory>, AdvisoryError> {
        ctx.require_staff()?;
        let rows = store::list(self.core.db.read(), None, true).await?;
        Ok(rows.into_iter().filter_map(view).collect())
    }

    /// One, for the vendor.
    pub async fn get(&self, ctx: &Ctx, id: &str) -> Result<Advisory, AdvisoryError> {
        ctx.require_staff()?;
        let row = store::get(self.core.db.read(), id).await?;
        row.and_then(view).ok_or(AdvisoryError::NotFound("advisory"))
    }

    /// Publish one.
    pub async fn publish(&self, ctx: &Ctx, new: NewAdvisory) -> Result<Advisory, AdvisoryError> {
        ctx.require_staff()?;
        check(&new)?;
        let tx = self.core.db.begin().await?;
        self.require_engine(&tx, &new.engine).await?;
        let now = self.core.clock.now();
        let prefix = format!("SMA-{}-", now.year());
        let last = store::last_id(&tx, &prefix).await?;
        let number = last.and_then(|id| id.strip_prefix(&prefix)?.parse::<u32>().ok()).unwrap_or(0) + 1;
        let id = format!("{prefix}{number:04}");
        let advisory = Advisory { id, says: new, published_at: now, changed_at: now, withdrawn_at: None };
        store::insert(&tx, row(advisory.clone())).await?;
        let change = Change::new("advisory.published", "advisory", &advisory.id).detail(&advisory.says);
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        self.core.outdated.notify_one();
        Ok(advisory)
    }

    /// Say something else.
    pub async fn update(&self, ctx: &Ctx, id: &str, new: NewAdvisory) -> Result<Advisory, AdvisoryError> {
        ctx.require_staff()?;
        check(&new)?;
        let tx = self.core.db.begin().await?;
        self.require_engine(&tx, &new.engine).await?;
        let known = self.in_force(&tx, id).await?;
        let advisory = Advisory { says: new, changed_at: self.core.clock.now(), ..known };
        store::update(&tx, row(advisory.clone())).await?;
        let change = Change::new("advisory.changed", "advisory", id).detail(&advisory.says);
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        self.core.outdated.notify_one();
        Ok(advisory)
    }

    /// Withdraw one: it was wrong.
    pub async fn withdraw(&self, ctx: &Ctx, id: &str) -> Result<Advisory, AdvisoryError> {
        ctx.require_staff()?;
        let tx = self.core.db.begin().await?;
        let known = self.in_force(&tx, id).await?;
        let now = self.core.clock.now();
        let advisory = Advisory { changed_at: now, withdrawn_at: Some(now), ..known };
        store::update(&tx, row(advisory.clone())).await?;
        self.core.audit.record_in(ctx, &tx, Change::new("advisory.withdrawn", "advisory", id)).await?;
        tx.commit().await?;
        self.core.outdated.notify_one();
        Ok(advisory)
    }

    /// Floors, by engine.
    pub async fn floors(&self) -> Result<Vec<Floor>, AdvisoryError> {
        let rows = store::floors(self.core.db.read()).await?;
        let floor = |row: floor::Model| {
            Some(Floor { version: row.version.parse().ok()?, engine: row.engine, set_at: row.set_at })
        };
        Ok(rows.into_iter().filter_map(floor).collect())
    }

    /// Let no version below this one be installed. It is in the next revocation list.
    pub async fn set_floor(&self, ctx: &Ctx, engine: &str, version: Version) -> Result<Floor, AdvisoryError> {
        ctx.require_staff()?;
        let tx = self.core.db.begin().await?;
        self.require_engine(&tx, engine).await?;
        let set_at = self.core.clock.now();
        let row = floor::Model { engine: engine.to_owned(), version: version.to_string(), set_at };
        store::set_floor(&tx, row).await?;
        let change = Change::new("floor.set", "engine", engine).detail(&version);
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        self.core.outdated.notify_one();
        Ok(Floor { engine: engine.to_owned(), version, set_at })
    }

    /// Take a floor away.
    pub async fn remove_floor(&self, ctx: &Ctx, engine: &str) -> Result<(), AdvisoryError> {
        ctx.require_staff()?;
        let tx = self.core.db.begin().await?;
        if !store::remove_floor(&tx, engine).await? {
            return Err(AdvisoryError::NotFound("lowest good version"));
        }
        self.core.audit.record_in(ctx, &tx, Change::new("floor.removed", "engine", engine)).await?;
        tx.commit().await?;
        self.core.outdated.notify_one();
        Ok(())
    }

    /// What hosts read.
    pub async fn documents(&self) -> Result<Documents, AdvisoryError> {
        #[derive(Serialize)]
        struct Published {
            id: String,
            #[serde(flatten)]
            says: NewAdvisory,
            published_at: DateTime<Utc>,
        }
        let mut list = self.list(None).await?;
        list.sort_by(|a, b| a.published_at.cmp(&b.published_at).then(a.id.cmp(&b.id)));
        let list = list.into_iter();
        let list: Vec<Published> = list
            .map(|Advisory { id, says, published_at, .. }| Published { id, says, published_at })
            .collect();
        let floors: BTreeMap<String, Version> =
            self.floors().await?.into_iter().map(|floor| (floor.engine, floor.version)).collect();
        Ok(Documents { advisories: serde_json::to_vec(&list)?, floors: serde_json::to_vec(&floors)? })
    }

    async fn in_force(&self, tx: &DatabaseTransaction, id: &str) -> Result<Advisory, AdvisoryError> {
        let known = store::get(tx, id).await?.and_then(view).ok_or(AdvisoryError::NotFound("advisory"))?;
        match known.withdrawn_at {
            Some(_) => Err(AdvisoryError::Withdrawn(known.id)),
            None => Ok(known),
        }
    }

    async fn require_engine(&self, tx: &DatabaseTransaction, engine: &str) -> Result<(), AdvisoryError> {
        if releases::is_published(tx, engine).await? {
            return Ok(());
        }
        let why = format!("No engine `{engine}` is published: see `sysmanage-portal releases`.");
        Err(AdvisoryError::Invalid("engine", why))
    }
}

fn check(new: &NewAdvisory) -> Result<(), AdvisoryError> {
    let length = |text: &str| text.trim().chars().count();
    if !(1..=200).contains(&length(&new.title)) {
        return Err(AdvisoryError::Invalid("title", "A title has 1 to 200 characters.".into()));
    }
    if !(1..=10_000).contains(&length(&new.detail)) {
        return Err(AdvisoryError::Invalid("detail", "The detail has 1 to 10000 characters.".into()));
    }
    if new.fixed_in.as_ref().is_some_and(|fixed| new.versions.matches(fixed)) {
        let why = "The version that is free of it is among those that have it. Correct one of the two.";
        return Err(AdvisoryError::Invalid("fixed_in", why.into()));
    }
    Ok(())
}

fn row(advisory: Advisory) -> advisory::Model {
    let says = advisory.says;
    advisory::Model {
        id: advisory.id,
        engine: says.engine,
        versions: says.versions.to_string(),
        severity: says.severity.name().into(),
        title: says.title.trim().into(),
        detail: says.detail.trim().into(),
        fixed_in: says.fixed_in.map(|version| version.to_string()),
        published_at: advisory.published_at,
        changed_at: advisory.changed_at,
        withdrawn_at: advisory.withdrawn_at,
    }
}

/// A row as others see it; rows that do not read are left out.
fn view(row: advisory::Model) -> Option<Advisory> {
    Some(Advisory {
        says: NewAdvisory {
            versions: row.versions.parse().ok()?,
            severity: Severity::named(&row.severity)?,
            fixed_in: row.fixed_in.map(|text| text.parse()).transpose().ok()?,
            engine: row.engine,
            title: row.title,
            detail: row.detail,
        },
        id: row.id,
        published_at: row.published_at,
        changed_at: row.changed_at,
        withdrawn_at: row.withdrawn_at,
    })
}
