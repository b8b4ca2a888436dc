//! Who changed a script, and how.

use chrono::{DateTime, Utc};
use plugin_sdk::Ctx;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Service;
use crate::{
    entities::script_change,
    error::Result,
    permissions,
    store::{self, PageRequest},
    views::Page,
};

/// A change of a script.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Change {
    /// Id.
    pub id: Uuid,
    /// `created`, `version_added`, `updated`, `shared`, `archived` or `restored`.
    pub action: String,
    /// What changed.
    #[schema(value_type = Object)]
    pub detail: Value,
    /// Who.
    pub actor: String,
    /// Name of who.
    pub actor_name: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

impl From<script_change::Model> for Change {
    fn from(m: script_change::Model) -> Self {
        Self {
            id: m.id,
            action: m.action,
            detail: serde_json::from_str(&m.detail).unwrap_or_default(),
            actor: m.actor,
            actor_name: m.actor_name,
            created_at: m.created_at,
        }
    }
}

impl Service {
    /// A page of a script's changes, newest first.
    pub async fn script_history(&self, ctx: &Ctx, id: Uuid, page: PageRequest) -> Result<Page<Change>> {
        ctx.require(permissions::SCRIPTS_READ)?;
        self.seen_script(ctx, id).await?;
        let rows = store::scripts::changes(&self.db, id, page).await?;
        Ok(Page::of(rows, page.limit, |c| c.id, Change::from))
    }
}
