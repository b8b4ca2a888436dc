//! The activity log: every change, and who made it.

pub mod entity;
pub mod routes;
mod store;

use sea_orm::{ConnectionTrait, DbErr};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    clock::SharedClock,
    ctx::{Ctx, Permission},
    db::Db,
    problem::Problem,
};

/// Most entries in one answer.
const LIMIT: u64 = 100;

/// The service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Audit {
    db: Db,
    clock: SharedClock,
}

/// A change to record.
#[derive(Debug, Clone)]
pub struct Change {
    action: &'static str,
    kind: &'static str,
    id: String,
    organisation: Option<Uuid>,
    detail: Option<Value>,
}

impl Change {
    /// `action` (past tense: `order.created`) on a thing of a kind.
    pub fn new(action: &'static str, kind: &'static str, id: impl ToString) -> Self {
        Self { action, kind, id: id.to_string(), organisation: None, detail: None }
    }

    /// The organisation whose members may read of it.
    pub fn of(mut self, organisation: Uuid) -> Self {
        self.organisation = Some(organisation);
        self
    }

    /// What changed. Never put a secret in here.
    pub fn detail(mut self, detail: impl Serialize) -> Self {
        self.detail = serde_json::to_value(detail).ok();
        self
    }
}

impl Audit {
    /// The service over `db`.
    pub fn new(db: Db, clock: SharedClock) -> Self {
        Self { db, clock }
    }

    /// Record a change in the caller's transaction, so that neither is kept without the other.
    pub async fn record_in(&self, ctx: &Ctx, db: &impl ConnectionTrait, change: Change) -> Result<(), DbErr> {
        tracing::info!(
            action = change.action, actor = %ctx.actor, entity.kind = change.kind, entity.id = %change.id,
            request_id = %ctx.request_id, "audit"
        );
        store::insert(db, ctx, self.clock.now(), change).await
    }

    /// Record a change that has no transaction of its own.
    pub async fn record(&self, ctx: &Ctx, change: Change) -> Result<(), DbErr> {
        self.record_in(ctx, self.db.write(), change).await
    }

    /// Entries of an organisation, newest first.
    pub async fn list(
        &self,
        ctx: &Ctx,
        organisation: Uuid,
        before: Option<Uuid>,
    ) -> Result<Vec<entity::Model>, Problem> {
        ctx.require(organisation, Permission::AuditRead)?;
        Ok(store::list(self.db.read(), Some(organisation), before, LIMIT).await?)
    }

    /// Entries of everybody, newest first.
    pub async fn list_all(&self, ctx: &Ctx, before: Option<Uuid>) -> Result<Vec<entity::Model>, Problem> {
        ctx.require_staff()?;
        Ok(store::list(self.db.read(), None, before, LIMIT).await?)
    }
}
