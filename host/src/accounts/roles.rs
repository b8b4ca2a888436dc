//! Roles: the built-in ones and one's own.

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, ModelTrait,
    PaginatorTrait, QueryFilter, sea_query::OnConflict,
};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    AccountError, Role, Services,
    entity::{role, user_role},
    store,
    users::{checked_text, taken},
};
use crate::{audit::Change, ctx::Ctx, http::Page, permissions::PermissionSet};

const BUILT_IN: [(&str, &str); 3] = [
    ("admin", "Everything."),
    ("operator", "See everything but administration, and run things on machines."),
    ("viewer", "See machines, operations and engines; change nothing."),
];

/// A role to create, or all of a role to change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRole {
    /// Name: 2 to 64 of a-z, 0-9, `_`, `-`.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Names of permissions, or patterns: `machines:*`, `*:read`, `*`.
    #[schema(value_type = Vec<String>)]
    pub permissions: PermissionSet,
    /// Selector of the machines it reaches; empty for all.
    #[serde(default)]
    pub scope: String,
    /// Whether those who have it need a second factor to sign in.
    #[serde(default)]
    pub require_totp: bool,
}

impl Services {
    pub(super) async fn make_built_in_roles(&self) -> Result<(), sea_orm::DbErr> {
        let now = self.core.clock.now();
        for (name, description) in BUILT_IN {
            let row = role::ActiveModel {
                id: Set(Uuid::now_v7()),
                name: Set(name.into()),
                description: Set(description.into()),
                built_in: Set(true),
                permissions: Set(serde_json::json!([])),
                scope: Set(String::new()),
                created_at: Set(now),
                updated_at: Set(now),
                require_totp: Set(false),
            };
            let there = OnConflict::column(role::Column::Name).do_nothing().to_owned();
            match role::Entity::insert(row)
                .on_conflict(there)
                .exec_without_returning(self.core.db.write())
                .await
            {
                Ok(_) | Err(sea_orm::DbErr::RecordNotInserted) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Roles by name.
    pub async fn list_roles(
        &self,
        ctx: &Ctx,
        after: Option<String>,
        limit: u64,
    ) -> Result<Page<Role>, AccountError> {
        ctx.require("roles:read")?;
        let rows = store::roles(self.core.db.read(), after, limit + 1).await?;
        Ok(Page::cut(rows, limit, |r| r.name.clone()).map(|r| Role::of(r, &self.core.permissions)))
    }

    /// One role.
    pub async fn get_role(&self, ctx: &Ctx, id: Uuid) -> Result<Role, AccountError> {
        ctx.require("roles:read")?;
        let row = role::Entity::find_by_id(id).one(self.core.db.read()).await?;
        Ok(Role::of(row.ok_or(AccountError::NotFound("role"))?, &self.core.permissions))
    }

    /// Create a role.
    pub async fn create_role(&self, ctx: &Ctx, new: NewRole) -> Result<Role, AccountError> {
        ctx.require("roles:manage")?;
        check(ctx, &new)?;
        self.core.selectors.parse_for_all(&new.scope)?;
        let now = self.core.clock.now();
        let row = role::ActiveModel {
            id: Set(Uuid::now_v7()),
            name: Set(new.name),
            description: Set(checked_text("description", new.description)?),
            built_in: Set(false),
            permissions: Set(serde_json::to_value(&new.permissions).unwrap_or_default()),
            scope: Set(new.scope.trim().into()),
            created_at: Set(now),
            updated_at: Set(now),
            require_totp: Set(new.require_totp),
        };
        let tx = self.core.db.begin().await?;
        let row = row.insert(&tx).await.map_err(|e| taken(e, "role"))?;
        let role = Role::of(row, &self.core.permissions);
        self.core
            .audit
            .record_in(ctx, &tx, Change::new("role.created", "role", role.id).after(&role))
            .await?;
        tx.commit().await?;
        Ok(role)
    }

    /// Replace a role.
    pub async fn update_role(
        &self,
        ctx: &Ctx,
        id: Uuid,
        new: NewRole,
        matches: impl Fn(&Role) -> bool + Send,
    ) -> Result<Role, AccountError> {
        ctx.require("roles:manage")?;
        check(ctx, &new)?;
        self.core.selectors.parse_for_all(&new.scope)?;
        let tx = self.core.db.begin().await?;
        let row = role::Entity::find_by_id(id).one(&tx).await?.ok_or(AccountError::NotFound("role"))?;
        let before = Role::of(row.clone(), &self.core.permissions);
        if before.built_in {
            return Err(AccountError::BuiltIn);
        }
        if !matches(&before) {
            return Err(AccountError::Changed);
        }
        if !ctx.covers(&before.permissions, &before.scope) {
            return Err(AccountError::BeyondOwn);
        }
        let mut row = row.into_active_model();
        row.name = Set(new.name);
        row.description = Set(checked_text("description", new.description)?);
        row.permissions = Set(serde_json::to_value(&new.permissions).unwrap_or_default());
        row.scope = Set(new.scope.trim().into());
        row.require_totp = Set(new.require_totp);
        row.updated_at = Set(self.core.clock.now());
        let row = row.update(&tx).await.map_err(|e| taken(e, "role"))?;
        let after = Role::of(row, &self.core.permissions);
        let change = Change::new("role.updated", "role", id).before(&before).after(&after);
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        self.identities.clear();
        Ok(after)
    }

    /// Say whether those who have a role need a second factor; the one thing to change about a built-in role.
    pub async fn require_totp(&self, ctx: &Ctx, id: Uuid, required: bool) -> Result<Role, AccountError> {
        ctx.require("roles:manage")?;
        let tx = self.core.db.begin().await?;
        let row = role::Entity::find_by_id(id).one(&tx).await?.ok_or(AccountError::NotFound("role"))?;
        let before = Role::of(row.clone(), &self.core.permissions);
        if !ctx.covers(&before.permissions, &before.scope) {
            return Err(AccountError::BeyondOwn);
        }
        let mut row = row.into_active_model();
        row.require_totp = Set(required);
        row.updated_at = Set(self.core.clock.now());
        let after = Role::of(row.update(&tx).await?, &self.core.permissions);
        let change = Change::new("role.updated", "role", id).before(&before).after(&after);
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        Ok(after)
    }

    /// Delete a role that nobody has.
    pub async fn delete_role(&self, ctx: &Ctx, id: Uuid) -> Result<(), AccountError> {
        ctx.require("roles:manage")?;
        let tx = self.core.db.begin().await?;
        let row = role::Entity::find_by_id(id).one(&tx).await?.ok_or(AccountError::NotFound("role"))?;
        if row.built_in {
            return Err(AccountError::BuiltIn);
        }
        if user_role::Entity::find().filter(user_role::Column::RoleId.eq(id)).count(&tx).await? > 0 {
            return Err(AccountError::RoleInUse);
        }
        let before = Role::of(row.clone(), &self.core.permissions);
        row.delete(&tx).await?;
        self.core.audit.record_in(ctx, &tx, Change::new("role.deleted", "role", id).before(&before)).await?;
        tx.commit().await?;
        Ok(())
    }
}

fn check(ctx: &Ctx, new: &NewRole) -> Result<(), AccountError> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    if !(2..=64).contains(&new.name.len()) || !new.name.bytes().all(allowed) {
        let why = "A role's name has 2 to 64 of a-z, 0-9, `_` and `-`.";
        return Err(AccountError::Invalid("name", why.into()));
    }
    if let Some(bad) = new.permissions.first_malformed() {
        return Err(AccountError::Invalid(
            "permissions",
            format!("`{bad}` is neither a permission nor a pattern."),
        ));
    }
    if !ctx.covers(&new.permissions, &new.scope) {
        return Err(AccountError::BeyondOwn);
    }
    Ok(())
}
