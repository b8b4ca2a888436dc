//! What people set for themselves.

use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{AccountError, Services, User, entity::user, users::checked_text};
use crate::{audit::Change, ctx::Ctx};

const MAX_PREFERENCES_BYTES: usize = 16 * 1024;

/// Changes to oneself; what is absent stays. The address for mail is not among them: it decides which account of a
/// provider belongs to a user, so an administrator sets it.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProfileChange {
    /// Name to show.
    pub display_name: Option<String>,
    /// Language of the console, e.g. `de` or `pt-BR`; empty for the browser's.
    pub language: Option<String>,
    /// All preferences of the console: a JSON object of at most 16 KiB.
    #[schema(value_type = Option<Object>)]
    pub preferences: Option<Map<String, Value>>,
}

impl Services {
    /// One's own preferences.
    pub async fn own_preferences(&self, ctx: &Ctx) -> Result<Value, AccountError> {
        let Some(id) = ctx.actor.user_id() else { return Ok(Value::Object(Map::new())) };
        let row = user::Entity::find_by_id(id).one(self.core.db.read()).await?;
        Ok(row.and_then(|u| u.preferences).unwrap_or_else(|| Value::Object(Map::new())))
    }

    /// Change oneself.
    pub async fn update_own_profile(&self, ctx: &Ctx, change: ProfileChange) -> Result<User, AccountError> {
        let id = ctx.actor.user_id().ok_or(AccountError::NotFound("user"))?;
        let tx = self.core.db.begin().await?;
        let before = self.user(&tx, id).await?;
        let row = user::Entity::find_by_id(id).one(&tx).await?.ok_or(AccountError::NotFound("user"))?;
        let mut row = row.into_active_model();
        if let Some(text) = change.display_name {
            row.display_name = Set(checked_text("display_name", text)?);
        }
        if let Some(language) = change.language {
            row.language = Set(checked_language(language)?);
        }
        if let Some(preferences) = change.preferences {
            row.preferences = Set(Some(checked_preferences(preferences)?));
        }
        row.updated_at = Set(self.core.clock.now());
        let after = User::of(row.update(&tx).await?, before.roles.clone());
        let audit = Change::new("user.profile_changed", "user", id).before(&before).after(&after);
        self.core.audit.record_in(ctx, &tx, audit).await?;
        tx.commit().await?;
        Ok(after)
    }

    /// Let a user who is locked after wrong passwords try again.
    pub async fn unlock(&self, ctx: &Ctx, id: Uuid) -> Result<User, AccountError> {
        ctx.require("users:manage")?;
        let tx = self.core.db.begin().await?;
        let before = self.user(&tx, id).await?;
        self.require_not_above(ctx, &tx, id).await?;
        let change = user::ActiveModel {
            id: Set(id),
            failed_logins: Set(0),
            locked_until: Set(None),
            updated_at: Set(self.core.clock.now()),
            ..Default::default()
        };
        let after = User::of(change.update(&tx).await?, before.roles.clone());
        let audit = Change::new("user.unlocked", "user", id).before(&before).after(&after);
        self.core.audit.record_in(ctx, &tx, audit).await?;
        tx.commit().await?;
        Ok(after)
    }
}

fn checked_language(language: String) -> Result<String, AccountError> {
    let part = |p: &str| (1..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric());
    if language.is_empty() || (language.len() <= 35 && language.split('-').all(part)) {
        return Ok(language);
    }
    Err(AccountError::Invalid("language", "A language is a tag like `de` or `pt-BR`.".into()))
}

fn checked_preferences(preferences: Map<String, Value>) -> Result<Value, AccountError> {
    let value = Value::Object(preferences);
    let text = value.to_string();
    // PostgreSQL's jsonb takes no NUL.
    if text.len() > MAX_PREFERENCES_BYTES || text.contains("\\u0000") {
        let why = "Preferences are a JSON object of at most 16 KiB, without NUL characters.";
        return Err(AccountError::Invalid("preferences", why.into()));
    }
    Ok(value)
}
