//! What the engine decides. Every public method authorises on its first line and audits what it changes.

mod approvals;
mod cancel;
mod dispatch;
mod due;
mod freeze;
mod history;
mod output;
mod progress;
mod results;
mod retention;
mod retry;
mod runs;
mod schedules;
mod scripts;
mod settings;
mod tick;
mod versions;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use plugin_sdk::{
    CallContext, Ctx, EngineDb, Host,
    payloads::{audit::AuditRecord, events::Event},
    sea_orm::{DbErr, TransactionError},
};
use serde_json::Value;
use tokio::sync::watch;

use crate::{error::Error, model::limits};

pub use approvals::{Approve, Reject};
pub use cancel::Cancel;
pub use history::Change;
pub use output::{MachineOutput, OutputQuery, Piece};
pub use results::ResultQuery;
pub use retry::Retry;
pub use runs::{Made, NewRun, Window};
pub use schedules::{NewSchedule, Preview};
pub use scripts::{EditScript, NewScript, Transfer};
pub use settings::Settings;
pub use versions::{Diff, NewVersion};

/// Tells the time; tests set their own.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// The engine's decisions.
pub struct Service {
    host: Host,
    db: EngineDb,
    clock: Clock,
    /// When this process began to serve.
    began: DateTime<Utc>,
    /// Counts changes of tasks, so that live streams need not wait for their next look.
    changed: watch::Sender<u64>,
}

impl Service {
    /// A service over the host's services.
    pub fn new(host: Host, clock: Clock) -> Self {
        let db = host.db();
        let began = clock();
        Self { host, db, clock, began, changed: watch::channel(0).0 }
    }

    /// Now, as stored: databases keep microseconds.
    fn now(&self) -> DateTime<Utc> {
        let now = (self.clock)();
        DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
    }

    /// Record a change. It has happened already, so a failure is logged and changes nothing.
    async fn audit(
        &self,
        ctx: &CallContext,
        action: &str,
        entity: (&str, String),
        before: Value,
        after: Value,
    ) {
        let record = AuditRecord {
            context: ctx.clone(),
            action: format!("automation.{action}"),
            entity_kind: format!("automation.{}", entity.0),
            entity_id: entity.1,
            before,
            after,
        };
        if let Err(error) = self.host.audit().record(&record).await {
            tracing::error!(%error, action = %record.action, entity.id = %record.entity_id, "audit failed");
        }
    }

    /// Publish an event. Events are hints: a failure is logged.
    async fn publish(&self, event: Event) {
        if let Err(error) = self.host.events().publish(&event).await {
            tracing::warn!(%error, topic = %event.topic, "an event was not published");
        }
    }
}

/// The error inside a failed transaction.
fn flat(e: TransactionError<DbErr>) -> DbErr {
    match e {
        TransactionError::Connection(e) | TransactionError::Transaction(e) => e,
    }
}

/// The context of the engine's own doings.
fn system() -> Ctx {
    Ctx(CallContext { actor: "system".into(), actor_name: "automation".into(), ..CallContext::default() })
}

fn check_name(name: &str) -> Result<String, Error> {
    let name = name.trim();
    let count = name.chars().count();
    if count == 0 || count > limits::NAME_CHARS || name.chars().any(char::is_control) {
        return Err(Error::invalid(
            "name",
            format!("expected 1 to {} printable characters", limits::NAME_CHARS),
        ));
    }
    Ok(name.into())
}

fn check_text(field: &'static str, text: &str) -> Result<(), Error> {
    if text.chars().count() > limits::TEXT_CHARS {
        return Err(Error::invalid(field, format!("expected at most {} characters", limits::TEXT_CHARS)));
    }
    Ok(())
}

/// A number within a range, for a field that the database keeps as `i32`.
fn check_range(field: &'static str, value: u32, most: u32) -> Result<i32, Error> {
    match i32::try_from(value) {
        Ok(number) if value <= most => Ok(number),
        _ => Err(Error::invalid(field, format!("expected at most {most}"))),
    }
}

/// A stored number that is never negative.
fn natural(value: i32) -> u32 {
    u32::try_from(value).unwrap_or(0)
}
