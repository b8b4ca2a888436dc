//! Scripts: make, change, share, archive.

use std::collections::BTreeSet;

use plugin_sdk::{Ctx, sea_orm::TransactionTrait};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{NewVersion, Service, check_name, check_text, flat};
use crate::{
    entities::{script, script_change},
    error::{Error, Result},
    events,
    model::{interpreter::Interpreter, limits, sharing::Sharing},
    permissions,
    store::{self, PageRequest, Viewer, scripts::Filter},
    views::{Page, ScriptView},
};

/// A script to make, with its first version.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewScript {
    /// Name.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Tags; lower-cased.
    #[serde(default)]
    pub tags: Vec<String>,
    /// With whom it is shared; nobody when absent.
    #[serde(default)]
    pub sharing: Sharing,
    /// First version.
    pub version: NewVersion,
}

/// Changes of a script; what is absent stays.
#[derive(Debug, Clone, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EditScript {
    /// Name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Tags.
    pub tags: Option<Vec<String>>,
    /// With whom it is shared.
    pub sharing: Option<Sharing>,
}

/// A new owner.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    /// The user, as `user:<uuid>`.
    pub owner: String,
    /// The user's name, as shown.
    pub owner_name: String,
}

impl Service {
    /// A page of the scripts that the actor may see, newest first.
    pub async fn list_scripts(
        &self,
        ctx: &Ctx,
        filter: &Filter,
        page: PageRequest,
    ) -> Result<Page<ScriptView>> {
        ctx.require(permissions::SCRIPTS_READ)?;
        let rows = store::scripts::list(&self.db, &Viewer::of(ctx), filter, page).await?;
        Ok(Page::of(rows, page.limit, |s| s.id, ScriptView::from))
    }

    /// One script.
    pub async fn get_script(&self, ctx: &Ctx, id: Uuid) -> Result<ScriptView> {
        ctx.require(permissions::SCRIPTS_READ)?;
        let row = self.seen_script(ctx, id).await?;
        self.show(row).await
    }

    /// Make a script with its first version.
    pub async fn create_script(&self, ctx: &Ctx, new: NewScript) -> Result<ScriptView> {
        ctx.require(permissions::SCRIPTS_WRITE)?;
        check_text("description", &new.description)?;
        check_sharing(&new.sharing)?;
        let now = self.now();
        let id = Uuid::now_v7();
        let version = self.build_version(ctx, id, 1, new.version)?;
        let row = script::Model {
            id,
            name: check_name(&new.name)?,
            description: new.description,
            owner: ctx.principal(),
            owner_name: ctx.actor_name.clone(),
            sharing: new.sharing.name().into(),
            tags: check_tags(new.tags)?,
            interpreter: version.interpreter.clone(),
            privileged: version.privileged,
            latest_version: 1,
            archived_at: None,
            created_at: now,
            updated_at: now,
        };
        let after = json!({
            "name": row.name, "sharing": new.sharing, "tags": tags(&row), "version": 1, "sha256": version.sha256,
            "interpreter": row.interpreter, "privileged": row.privileged,
        });
        let change = self.change(ctx, id, "created", after.clone());
        let (stored, sharing) = (row.clone(), new.sharing);
        self.db
            .transaction(|tx| {
                Box::pin(async move {
                    store::scripts::insert(tx, stored).await?;
                    store::scripts::insert_version(tx, version).await?;
                    store::scripts::set_shares(tx, id, &sharing).await?;
                    store::scripts::insert_change(tx, change).await
                })
            })
            .await
            .map_err(flat)?;
        self.script_changed(ctx, &row, "created", Value::Null, after).await;
        self.show(row).await
    }

    /// Change name, description, tags or sharing.
    pub async fn update_script(&self, ctx: &Ctx, id: Uuid, edit: EditScript) -> Result<ScriptView> {
        ctx.require(permissions::SCRIPTS_WRITE)?;
        let before = self.own_script(ctx, id).await?;
        let old_sharing = store::scripts::sharing(&self.db, &before).await?;
        let mut row = before.clone();
        if let Some(name) = &edit.name {
            row.name = check_name(name)?;
        }
        if let Some(description) = edit.description {
            check_text("description", &description)?;
            row.description = description;
        }
        if let Some(list) = edit.tags {
            row.tags = check_tags(list)?;
        }
        let sharing = edit.sharing.unwrap_or_else(|| old_sharing.clone());
        check_sharing(&sharing)?;
        row.sharing = sharing.name().into();
        let action = if sharing == old_sharing { "updated" } else { "shared" };
        let old = json!({
            "name": before.name, "description": before.description, "tags": tags(&before), "sharing": old_sharing,
        });
        let new = json!({ "name": row.name, "description": row.description, "tags": tags(&row), "sharing": sharing });
        self.save_script(ctx, &before, row, Some(sharing), action, old, new).await
    }

    /// Archive a script: it neither runs nor changes until it is restored.
    pub async fn archive_script(&self, ctx: &Ctx, id: Uuid) -> Result<ScriptView> {
        self.set_archived(ctx, id, true).await
    }

    /// Restore an archived script.
    pub async fn restore_script(&self, ctx: &Ctx, id: Uuid) -> Result<ScriptView> {
        self.set_archived(ctx, id, false).await
    }

    /// Give a script to another user, e.g. when its owner leaves.
    pub async fn transfer_script(&self, ctx: &Ctx, id: Uuid, to: Transfer) -> Result<ScriptView> {
        ctx.require(permissions::SCRIPTS_MANAGE)?;
        let before = self.own_script_even_archived(ctx, id).await?;
        if to.owner.strip_prefix("user:").is_none_or(|id| Uuid::try_parse(id).is_err()) {
            return Err(Error::invalid("owner", "expected an id such as user:0198..."));
        }
        let row =
            script::Model { owner: to.owner, owner_name: check_name(&to.owner_name)?, ..before.clone() };
        let (old, new) = (json!({ "owner": before.owner }), json!({ "owner": row.owner }));
        self.save_script(ctx, &before, row, None, "transferred", old, new).await
    }

    async fn set_archived(&self, ctx: &Ctx, id: Uuid, archived: bool) -> Result<ScriptView> {
        ctx.require(permissions::SCRIPTS_WRITE)?;
        let before = self.own_script_even_archived(ctx, id).await?;
        if before.archived_at.is_some() == archived {
            return self.show(before).await;
        }
        let row = script::Model { archived_at: archived.then(|| self.now()), ..before.clone() };
        let action = if archived { "archived" } else { "restored" };
        let (old, new) = (json!({ "archived": !archived }), json!({ "archived": archived }));
        self.save_script(ctx, &before, row, None, action, old, new).await
    }

    #[expect(clippy::too_many_arguments, reason = "what was, what is, and how it is told")]
    async fn save_script(
        &self,
        ctx: &Ctx,
        before: &script::Model,
        mut row: script::Model,
        sharing: Option<Sharing>,
        action: &'static str,
        old: Value,
        new: Value,
    ) -> Result<ScriptView> {
        row.updated_at = self.later(before.updated_at);
        let change = self.change(ctx, row.id, action, json!({ "before": old, "after": new }));
        let (stored, read_at) = (row.clone(), before.updated_at);
        let saved = self
            .db
            .transaction(|tx| {
                Box::pin(async move {
                    if !store::scripts::update(tx, &stored, read_at).await? {
                        return Ok(false);
                    }
                    if let Some(sharing) = sharing {
                        store::scripts::set_shares(tx, stored.id, &sharing).await?;
                    }
                    store::scripts::insert_change(tx, change).await?;
                    Ok(true)
                })
            })
            .await
            .map_err(flat)?;
        if !saved {
            return Err(Error::Changed);
        }
        self.script_changed(ctx, &row, action, old, new).await;
        self.show(row).await
    }

    /// A time after `before`, so that every change is told from the one before.
    pub(super) fn later(&self, before: chrono::DateTime<chrono::Utc>) -> chrono::DateTime<chrono::Utc> {
        self.now().max(before + chrono::Duration::microseconds(1))
    }

    pub(super) async fn script_changed(
        &self,
        ctx: &Ctx,
        row: &script::Model,
        action: &str,
        before: Value,
        after: Value,
    ) {
        self.audit(ctx, &format!("script.{action}"), ("script", row.id.to_string()), before, after).await;
        let data = json!({ "script_id": row.id, "action": action, "version": row.latest_version });
        self.publish(events::event(events::SCRIPT_CHANGED, permissions::SCRIPTS_READ, data)).await;
    }

    pub(super) fn change(
        &self,
        ctx: &Ctx,
        script_id: Uuid,
        action: &str,
        detail: Value,
    ) -> script_change::Model {
        script_change::Model {
            id: Uuid::now_v7(),
            script_id,
            action: action.into(),
            detail: detail.to_string(),
            actor: ctx.principal(),
            actor_name: ctx.actor_name.clone(),
            created_at: self.now(),
        }
    }

    async fn show(&self, row: script::Model) -> Result<ScriptView> {
        let sharing = store::scripts::sharing(&self.db, &row).await?;
        Ok(ScriptView { sharing: Some(sharing), ..ScriptView::from(row) })
    }

    /// A script the actor may see.
    pub(super) async fn seen_script(&self, ctx: &Ctx, id: Uuid) -> Result<script::Model> {
        let found = store::scripts::find(&self.db, &Viewer::of(ctx), id).await?;
        found.ok_or_else(|| Error::not_found("script", id))
    }

    /// A script the actor may change.
    pub(super) async fn own_script(&self, ctx: &Ctx, id: Uuid) -> Result<script::Model> {
        let row = self.own_script_even_archived(ctx, id).await?;
        if row.archived_at.is_some() { Err(Error::Archived) } else { Ok(row) }
    }

    async fn own_script_even_archived(&self, ctx: &Ctx, id: Uuid) -> Result<script::Model> {
        let row = self.seen_script(ctx, id).await?;
        if row.owner != ctx.principal() && !ctx.allows(permissions::SCRIPTS_MANAGE) {
            return Err(Error::NotOwner);
        }
        Ok(row)
    }
}

fn tags(row: &script::Model) -> Vec<String> {
    serde_json::from_str(&row.tags).unwrap_or_default()
}

/// Tags in order, lower-case, each once, as JSON.
fn check_tags(tags: Vec<String>) -> Result<String> {
    let set: BTreeSet<_> = tags.iter().map(|t| t.trim().to_lowercase()).collect();
    let odd = |t: &String| {
        t.is_empty()
            || t.chars().count() > limits::TAG_CHARS
            || !t.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/' | ' '))
    };
    if set.len() > limits::TAGS || set.iter().any(odd) {
        let text = format!("expected at most {} words of letters, digits and - _ . : /", limits::TAGS);
        return Err(Error::invalid("tags", text));
    }
    Ok(json!(set).to_string())
}

fn check_sharing(sharing: &Sharing) -> Result<()> {
    let Sharing::Some { users, roles } = sharing else { return Ok(()) };
    if users.len() + roles.len() > limits::SHARES {
        return Err(Error::invalid(
            "sharing",
            format!("expected at most {} users and roles", limits::SHARES),
        ));
    }
    let is_user = |u: &String| u.strip_prefix("user:").is_some_and(|id| Uuid::try_parse(id).is_ok());
    if !users.iter().all(is_user) {
        return Err(Error::invalid("sharing.users", "expected ids such as user:0198...".to_owned()));
    }
    if roles.iter().any(|r| r.is_empty() || r.len() > 100) {
        return Err(Error::invalid("sharing.roles", "expected names of roles"));
    }
    Ok(())
}

/// Interpreter of a stored name. Only names this engine wrote are stored.
pub(super) fn interpreter(name: &str) -> Result<Interpreter> {
    Interpreter::parse(name).ok_or_else(|| Error::invalid("interpreter", format!("`{name}` is not known")))
}
