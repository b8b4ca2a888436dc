//! The audit log: every change, who made it, before and after.

pub mod entity;
pub mod routes;
mod store;

use chrono::{DateTime, Utc};
use sea_orm::{Condition, ConnectionTrait, DbErr};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    clock::SharedClock,
    ctx::{Ctx, Scope},
    db::Db,
    http::page::Page,
    problem::Problem,
    selector::Selectors,
};

pub use store::Filter;

/// The audit service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Audit {
    db: Db,
    clock: SharedClock,
    selectors: Selectors,
}

/// A change to record.
#[derive(Debug, Clone)]
pub struct Change {
    /// Past tense: `machine.approved`.
    pub action: String,
    /// Kind of the entity: `machine`.
    pub entity_kind: String,
    /// Id of the entity.
    pub entity_id: String,
    /// State before; `Null` when created.
    pub before: Value,
    /// State after; `Null` when deleted.
    pub after: Value,
}

impl Change {
    /// A change of an entity, without states.
    pub fn new(action: impl Into<String>, kind: impl Into<String>, id: impl ToString) -> Self {
        Self {
            action: action.into(),
            entity_kind: kind.into(),
            entity_id: id.to_string(),
            before: Value::Null,
            after: Value::Null,
        }
    }

    /// The state before. Never put a secret in here.
    pub fn before(mut self, state: impl Serialize) -> Self {
        self.before = serde_json::to_value(state).unwrap_or(Value::Null);
        self
    }

    /// The state after. Never put a secret in here.
    pub fn after(mut self, state: impl Serialize) -> Self {
        self.after = serde_json::to_value(state).unwrap_or(Value::Null);
        self
    }
}

impl Audit {
    /// The service over `db`.
    pub fn new(db: Db, clock: SharedClock, selectors: Selectors) -> Self {
        Self { db, clock, selectors }
    }

    /// Record a change in the caller's transaction, so that neither is kept without the other.
    pub async fn record_in(&self, ctx: &Ctx, db: &impl ConnectionTrait, change: Change) -> Result<(), DbErr> {
        tracing::info!(
            action = %change.action, actor = %ctx.actor, entity.kind = %change.entity_kind,
            entity.id = %change.entity_id, request_id = %ctx.request_id, "audit"
        );
        store::insert(db, ctx, self.clock.now(), change).await
    }

    /// Record a change that has no transaction of its own.
    pub async fn record(&self, ctx: &Ctx, change: Change) -> Result<(), DbErr> {
        self.record_in(ctx, self.db.write(), change).await
    }

    /// When the newest entry was made: this host ran then, whatever its clock says now.
    pub(crate) async fn newest(&self) -> Result<Option<DateTime<Utc>>, DbErr> {
        store::newest(self.db.read()).await
    }

    /// Entries, newest first: all of them, or those about machines within the actor's scope and the actor's own.
    pub async fn list(
        &self,
        ctx: &Ctx,
        filter: Filter,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Page<entity::Model>, Problem> {
        let seen = match ctx.require_scope("audit:read")? {
            Scope::All => Condition::all(),
            scope => store::within(scope.condition(&self.selectors.env()), &ctx.actor, self.db.backend()),
        };
        Ok(store::list(self.db.read(), filter, seen, after, limit).await?)
    }
}
