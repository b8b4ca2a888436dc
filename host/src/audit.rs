//! The audit log: every change, who made it, before and after.

mod csv;
pub mod entity;
mod export;
mod retention;
pub mod routes;
mod store;

use chrono::{DateTime, Utc};
use sea_orm::{Condition, ConnectionTrait, DbErr};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    clock::SharedClock,
    ctx::{Ctx, Scope},
    db::Db,
    http::page::Page,
    problem::Problem,
    selector::{Env, Selectors},
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
    /// How it ended.
    pub outcome: Outcome,
    /// The machine it concerns.
    pub machine_id: Option<Uuid>,
}

/// How what was attempted ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    #[default]
    Success,
    /// The host refused: a wrong password, a missing permission.
    Refused,
    /// It was tried and did not work.
    Failed,
}

impl Outcome {
    /// Its name in the table and the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

impl Change {
    /// A change of an entity, without states.
    pub fn new(action: impl Into<String>, kind: impl Into<String>, id: impl ToString) -> Self {
        let (entity_kind, entity_id) = (kind.into(), id.to_string());
        let machine_id = if entity_kind == "machine" { entity_id.parse().ok() } else { None };
        Self {
            action: action.into(),
            entity_kind,
            entity_id,
            before: Value::Null,
            after: Value::Null,
            outcome: Outcome::Success,
            machine_id,
        }
    }

    /// How it ended, when not in success.
    pub fn outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// The machine it concerns, where the entity is not the machine itself.
    pub fn machine(mut self, id: Uuid) -> Self {
        self.machine_id = Some(id);
        self
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

/// What a caller may see: everything, or what concerns machines of a scope and what they did themselves.
#[derive(Debug, Clone)]
enum View {
    Everything,
    Scoped { machines: Condition, actor: String },
}

impl View {
    fn of(ctx: &Ctx, scope: Scope, env: &Env) -> Self {
        match scope {
            Scope::All => Self::Everything,
            scope => Self::Scoped { machines: scope.condition(env), actor: ctx.actor.to_string() },
        }
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
        let scope = ctx.require_scope("audit:read")?;
        let view = View::of(ctx, scope, &self.selectors.env());
        Ok(store::list(self.db.read(), &filter, &view, after, limit).await?)
    }
}
