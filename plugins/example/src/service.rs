//! What may happen to notes: permission first, audit what changes.

use chrono::{TimeDelta, Utc};
use plugin_sdk::{
    Ctx, Host,
    payloads::{
        audit::AuditRecord,
        events::Event,
        operations::{NewOperation, OperationId},
    },
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    entities::note::Model,
    error::NoteError,
    permissions::{GREET, READ, WRITE},
    store::Store,
};

/// Most machines greeted at once.
const MOST_MACHINES: usize = 10_000;

/// The notes.
pub struct Notes {
    host: Host,
    store: Store,
}

/// What a person writes.
pub struct Draft {
    pub title: String,
    pub body: String,
    pub done: bool,
}

type Result<T> = std::result::Result<T, NoteError>;

fn allowed(ctx: &Ctx, permission: &str) -> Result<()> {
    ctx.require(permission).map_err(NoteError::Denied)
}

impl Notes {
    pub fn new(host: Host) -> Self {
        Self { store: Store::new(host.db()), host }
    }

    /// A page and the number of all.
    pub async fn list(&self, ctx: &Ctx, after: Option<Uuid>, limit: u64) -> Result<(Vec<Model>, u64)> {
        allowed(ctx, READ)?;
        self.store.list(after, limit.clamp(1, 500)).await
    }

    pub async fn export(&self, ctx: &Ctx) -> Result<Vec<Model>> {
        allowed(ctx, READ)?;
        self.store.all().await
    }

    pub async fn get(&self, ctx: &Ctx, id: Uuid) -> Result<Model> {
        allowed(ctx, READ)?;
        self.store.get(id).await
    }

    pub async fn create(&self, ctx: &Ctx, draft: Draft) -> Result<Model> {
        allowed(ctx, WRITE)?;
        let mut note = Model::new(title(&draft.title)?, draft.body);
        note.done = draft.done;
        let note = self.store.insert(note).await?;
        self.changed(ctx, "created", note.id, Value::Null, facts(&note)).await?;
        Ok(note)
    }

    pub async fn update(&self, ctx: &Ctx, id: Uuid, draft: Draft) -> Result<Model> {
        allowed(ctx, WRITE)?;
        let before = self.store.get(id).await?;
        let after = Model {
            title: title(&draft.title)?,
            body: draft.body,
            done: draft.done,
            updated_at: Utc::now(),
            ..before.clone()
        };
        let after = self.store.update(after).await?;
        self.changed(ctx, "updated", id, facts(&before), facts(&after)).await?;
        Ok(after)
    }

    pub async fn delete(&self, ctx: &Ctx, id: Uuid) -> Result<()> {
        allowed(ctx, WRITE)?;
        let before = self.store.get(id).await?;
        self.store.delete(id).await?;
        self.changed(ctx, "deleted", id, facts(&before), Value::Null).await
    }

    /// Run `greet` on the machines that a selector matches.
    pub async fn greet(&self, ctx: &Ctx, name: &str, selector: &str) -> Result<OperationId> {
        allowed(ctx, GREET)?;
        let machines = self.host.machines().select_all(ctx, selector, MOST_MACHINES).await?;
        let operation = NewOperation {
            context: ctx.0.clone(),
            command: "greet".into(),
            title: format!("Greet {name}"),
            machines: machines.into_iter().map(|m| m.id).collect(),
            payload: json!({ "name": name }),
            ..NewOperation::default()
        };
        Ok(self.host.operations().create(&operation).await?)
    }

    /// How many notes there are; for the self-test.
    pub async fn count(&self) -> Result<u64> {
        Ok(self.store.list(None, 1).await?.1)
    }

    /// A note the engine writes itself; one with this title is left as it is.
    pub async fn remember(&self, title: &str, body: String) -> Result<()> {
        match self.store.insert(Model::new(title.to_owned(), body)).await {
            Ok(_) | Err(NoteError::TitleTaken) => Ok(()),
            Err(e) => Err(e),
        }
    }

    /// Delete done notes that are older than the setting says.
    pub async fn clean_up(&self) -> Result<u64> {
        let settings = self.host.settings().all().await?;
        let days = settings.get("keep_days").and_then(Value::as_i64).unwrap_or(30).clamp(0, 36_500);
        self.store.delete_done_before(Utc::now() - TimeDelta::days(days)).await
    }

    async fn changed(&self, ctx: &Ctx, verb: &str, id: Uuid, before: Value, after: Value) -> Result<()> {
        let topic = format!("example.note.{verb}");
        let record = AuditRecord {
            context: ctx.0.clone(),
            action: topic.clone(),
            entity_kind: "example.note".into(),
            entity_id: id.to_string(),
            before,
            after,
        };
        self.host.audit().record(&record).await?;
        let event =
            Event { topic, machine_id: None, permission: Some(READ.into()), data: json!({ "id": id }) };
        Ok(self.host.events().publish(&event).await?)
    }
}

fn title(text: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 200 {
        return Err(NoteError::Title);
    }
    Ok(text.to_owned())
}

fn facts(note: &Model) -> Value {
    json!({ "title": note.title, "body": note.body, "done": note.done })
}
