//! Queries. The only file that knows the entities' columns. No host service is called inside a transaction: on SQLite one
//! writer serves the whole host.

use chrono::{DateTime, Utc};
use plugin_sdk::{EngineDb, db::is_unique_violation};
use sea_orm::{QueryOrder, QuerySelect, prelude::*};

use crate::entities::{entry, notice, renewal, standing, usage};

/// The engine's tables.
#[derive(Clone)]
pub struct Store {
    db: EngineDb,
}

type Result<T> = std::result::Result<T, DbErr>;

impl Store {
    pub fn new(db: EngineDb) -> Self {
        Self { db }
    }

    /// The newest entry of the ledger.
    pub async fn head(&self) -> Result<Option<entry::Model>> {
        entry::Entity::find().order_by_desc(entry::Column::Seq).one(&self.db).await
    }

    /// Append; `false` when somebody else took the place.
    pub async fn append(&self, entry: entry::Model) -> Result<bool> {
        match entry::ActiveModel::from(entry).reset_all().insert(&self.db).await {
            Ok(_) => Ok(true),
            Err(e) if is_unique_violation(&e) => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// Entries after a place, oldest first.
    pub async fn entries_after(&self, seq: i64, limit: u64) -> Result<Vec<entry::Model>> {
        let after = entry::Entity::find().filter(entry::Column::Seq.gt(seq));
        after.order_by_asc(entry::Column::Seq).limit(limit).all(&self.db).await
    }

    /// Entries before a place, newest first.
    pub async fn entries_before(&self, seq: Option<i64>, limit: u64) -> Result<Vec<entry::Model>> {
        let mut query = entry::Entity::find().order_by_desc(entry::Column::Seq).limit(limit);
        if let Some(seq) = seq {
            query = query.filter(entry::Column::Seq.lt(seq));
        }
        query.all(&self.db).await
    }

    pub async fn usage_of(&self, day: &str) -> Result<Option<usage::Model>> {
        usage::Entity::find_by_id(day).one(&self.db).await
    }

    /// Keep a day; one that is there is replaced.
    pub async fn keep_usage(&self, day: usage::Model) -> Result<()> {
        let there = self.usage_of(&day.day).await?.is_some();
        let active = usage::ActiveModel::from(day).reset_all();
        if there {
            active.update(&self.db).await?;
        } else {
            active.insert(&self.db).await?;
        }
        Ok(())
    }

    /// Days from `day` on, oldest first.
    pub async fn usage_since(&self, day: &str, limit: u64) -> Result<Vec<usage::Model>> {
        let since = usage::Entity::find().filter(usage::Column::Day.gte(day));
        since.order_by_asc(usage::Column::Day).limit(limit).all(&self.db).await
    }

    /// Days before `day` that are not in the ledger yet.
    pub async fn days_to_close(&self, day: &str) -> Result<Vec<usage::Model>> {
        let open = usage::Entity::find().filter(usage::Column::Day.lt(day));
        let open = open.filter(usage::Column::InLedger.eq(false));
        open.order_by_asc(usage::Column::Day).limit(400).all(&self.db).await
    }

    /// A notice fell due; `false` when it did before.
    pub async fn add_notice(&self, notice: notice::Model) -> Result<bool> {
        match notice::ActiveModel::from(notice).reset_all().insert(&self.db).await {
            Ok(_) => Ok(true),
            Err(e) if is_unique_violation(&e) => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// Notices that people were not told of yet.
    pub async fn unsent_notices(&self) -> Result<Vec<notice::Model>> {
        notice::Entity::find().filter(notice::Column::SentAt.is_null()).limit(100).all(&self.db).await
    }

    pub async fn notice_sent(&self, mut notice: notice::Model, at: DateTime<Utc>) -> Result<()> {
        notice.sent_at = Some(at);
        notice::ActiveModel::from(notice).reset_all().update(&self.db).await?;
        Ok(())
    }

    /// The last notices, newest first.
    pub async fn notices(&self, limit: u64) -> Result<Vec<notice::Model>> {
        notice::Entity::find().order_by_desc(notice::Column::CreatedAt).limit(limit).all(&self.db).await
    }

    pub async fn add_renewal(&self, renewal: renewal::Model) -> Result<renewal::Model> {
        renewal::ActiveModel::from(renewal).reset_all().insert(&self.db).await
    }

    pub async fn renewal(&self, id: Uuid) -> Result<Option<renewal::Model>> {
        renewal::Entity::find_by_id(id).one(&self.db).await
    }

    pub async fn renewal_answered(&self, mut renewal: renewal::Model, at: DateTime<Utc>) -> Result<()> {
        renewal.answered_at = Some(at);
        renewal::ActiveModel::from(renewal).reset_all().update(&self.db).await?;
        Ok(())
    }

    /// The last renewals, newest first.
    pub async fn renewals(&self, limit: u64) -> Result<Vec<renewal::Model>> {
        renewal::Entity::find().order_by_desc(renewal::Column::Id).limit(limit).all(&self.db).await
    }

    pub async fn standings(&self) -> Result<Vec<standing::Model>> {
        standing::Entity::find().limit(1_000).all(&self.db).await
    }

    /// Keep what an engine is granted now.
    pub async fn keep_standing(&self, standing: standing::Model, new: bool) -> Result<()> {
        let active = standing::ActiveModel::from(standing).reset_all();
        if new {
            active.insert(&self.db).await?;
        } else {
            active.update(&self.db).await?;
        }
        Ok(())
    }
}
