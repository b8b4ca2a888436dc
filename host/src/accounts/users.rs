//! Users: list, create, change, delete.

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    ModelTrait, QueryFilter, SqlErr,
};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    AccountError, Services, User, UserState,
    entity::{role, user, user_role},
    store,
    views::permissions_of,
};
use crate::{
    audit::Change,
    ctx::{Actor, Ctx},
    events::NewEvent,
    http::Page,
};

/// A user to create.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// Name to log in with: 2 to 64 of a-z, 0-9, `.`, `_`, `-`, `@`.
    pub name: String,
    /// Name to show; the name when absent.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Address for mail.
    #[serde(default)]
    pub email: Option<String>,
    /// First password.
    pub password: String,
    /// Names of roles.
    #[serde(default)]
    pub roles: Vec<String>,
}

/// Changes to a user; what is absent stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UserChange {
    /// Name to show.
    pub display_name: Option<String>,
    /// Address for mail; empty for none.
    pub email: Option<String>,
    /// Names of roles, all of them.
    pub roles: Option<Vec<String>>,
    /// Whether the user may log in.
    pub state: Option<UserState>,
}

impl Services {
    /// Users by name.
    pub async fn list_users(
        &self,
        ctx: &Ctx,
        after: Option<String>,
        limit: u64,
    ) -> Result<Page<User>, AccountError> {
        ctx.require("users:read")?;
        let db = self.core.db.read();
        let page = Page::cut(store::users(db, after, limit + 1).await?, limit, |u| u.name.clone());
        let ids: Vec<Uuid> = page.items.iter().map(|u| u.id).collect();
        let mut roles = store::roles_of(db, &ids).await?;
        Ok(page.map(|u| {
            let names = roles.remove(&u.id).unwrap_or_default().into_iter().map(|r| r.name).collect();
            User::of(u, names)
        }))
    }

    /// One user.
    pub async fn get_user(&self, ctx: &Ctx, id: Uuid) -> Result<User, AccountError> {
        if ctx.actor.user_id() != Some(id) {
            ctx.require("users:read")?;
        }
        self.user(self.core.db.read(), id).await
    }

    /// Create a user.
    pub async fn create_user(&self, ctx: &Ctx, new: NewUser) -> Result<User, AccountError> {
        ctx.require("users:manage")?;
        let now = self.core.clock.now();
        let name = checked_name(&new.name)?;
        let hash = self.new_password(&new.password, &name).await?;
        let row = user::ActiveModel {
            id: Set(Uuid::now_v7()),
            display_name: Set(checked_text(
                "display_name",
                new.display_name.unwrap_or_else(|| name.clone()),
            )?),
            name: Set(name),
            email: Set(checked_email(new.email)?),
            password_hash: Set(hash),
            state: Set(UserState::Active.name().into()),
            failed_logins: Set(0),
            locked_until: Set(None),
            last_login_at: Set(None),
            created_at: Set(now),
            updated_at: Set(now),
            language: Set(String::new()),
            preferences: Set(None),
            totp_enabled: Set(false),
        };
        let tx = self.core.db.begin().await?;
        let row = row.insert(&tx).await.map_err(|e| taken(e, "user"))?;
        let roles = self.set_roles(ctx, &tx, row.id, &new.roles).await?;
        let user = User::of(row, roles);
        self.core
            .audit
            .record_in(ctx, &tx, Change::new("user.created", "user", user.id).after(&user))
            .await?;
        tx.commit().await?;
        Ok(user)
    }

    /// Change a user. `unchanged_since` is the `updated_at` the caller saw.
    pub async fn update_user(
        &self,
        ctx: &Ctx,
        id: Uuid,
        change: UserChange,
        matches: impl Fn(&User) -> bool + Send,
    ) -> Result<User, AccountError> {
        ctx.require("users:manage")?;
        let tx = self.core.db.begin().await?;
        let before = self.user(&tx, id).await?;
        if !matches(&before) {
            return Err(AccountError::Changed);
        }
        self.require_not_above(ctx, &tx, id).await?;
        let row = user::Entity::find_by_id(id).one(&tx).await?.ok_or(AccountError::NotFound("user"))?;
        let mut row = row.into_active_model();
        if let Some(text) = change.display_name {
            row.display_name = Set(checked_text("display_name", text)?);
        }
        if let Some(email) = change.email {
            row.email = Set(checked_email(Some(email))?);
        }
        if let Some(state) = change.state {
            row.state = Set(state.name().into());
            row.failed_logins = Set(0);
            row.locked_until = Set(None);
        }
        row.updated_at = Set(self.core.clock.now());
        let row = row.update(&tx).await?;
        let roles = match change.roles {
            Some(names) => self.set_roles(ctx, &tx, id, &names).await?,
            None => before.roles.clone(),
        };
        let after = User::of(row, roles);
        let admin = |u: &User| u.state == UserState::Active && u.roles.iter().any(|r| r == "admin");
        if admin(&before) && !admin(&after) && !store::another_admin(&tx, id).await? {
            return Err(AccountError::LastAdmin);
        }
        if after.state == UserState::Disabled {
            store::end_sessions(&tx, id, None).await?;
        }
        let audit = Change::new("user.updated", "user", id).before(&before).after(&after);
        self.core.audit.record_in(ctx, &tx, audit).await?;
        tx.commit().await?;
        self.identities.clear();
        Ok(after)
    }

    /// Delete a user, with sessions and tokens: a token's secret is known to who leaves. What they made otherwise
    /// (invitations, enrolment tokens) goes to the user `heir`, where one is named.
    pub async fn delete_user(&self, ctx: &Ctx, id: Uuid, heir: Option<Uuid>) -> Result<(), AccountError> {
        ctx.require("users:manage")?;
        let tx = self.core.db.begin().await?;
        let before = self.user(&tx, id).await?;
        self.require_not_above(ctx, &tx, id).await?;
        if before.roles.iter().any(|r| r == "admin") && !store::another_admin(&tx, id).await? {
            return Err(AccountError::LastAdmin);
        }
        if let Some(heir) = heir {
            if heir == id {
                let why = "Name somebody else: this user is about to be deleted.";
                return Err(AccountError::Invalid("reassign_to", why.into()));
            }
            self.user(&tx, heir).await?;
            store::reassign(&tx, &Actor::User(id).to_string(), &Actor::User(heir).to_string()).await?;
        }
        let row = user::Entity::find_by_id(id).one(&tx).await?.ok_or(AccountError::NotFound("user"))?;
        row.delete(&tx).await?;
        let change = Change::new("user.deleted", "user", id).before(&before);
        let change = match heir {
            Some(heir) => change.after(serde_json::json!({"reassigned_to": heir})),
            None => change,
        };
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        self.identities.clear();
        let data = serde_json::json!({"id": id, "name": before.name, "reassigned_to": heir});
        self.core.events.publish(NewEvent::new("user.deleted", "users:read", data));
        Ok(())
    }

    pub(super) async fn user(&self, db: &impl ConnectionTrait, id: Uuid) -> Result<User, AccountError> {
        let row = user::Entity::find_by_id(id).one(db).await?.ok_or(AccountError::NotFound("user"))?;
        let roles = store::roles_of(db, &[id]).await?.remove(&id).unwrap_or_default();
        Ok(User::of(row, roles.into_iter().map(|r| r.name).collect()))
    }

    /// Nobody changes an account that may do more than they may: that would be a way to become it.
    pub(super) async fn require_not_above(
        &self,
        ctx: &Ctx,
        db: &impl ConnectionTrait,
        id: Uuid,
    ) -> Result<(), AccountError> {
        let roles = store::roles_of(db, &[id]).await?.remove(&id).unwrap_or_default();
        self.require_covered(ctx, &roles)
    }

    pub(super) fn require_covered(&self, ctx: &Ctx, roles: &[role::Model]) -> Result<(), AccountError> {
        let covered = roles.iter().all(|r| ctx.covers(&permissions_of(r, &self.core.permissions), &r.scope));
        if covered { Ok(()) } else { Err(AccountError::BeyondOwn) }
    }

    pub(super) async fn set_roles(
        &self,
        ctx: &Ctx,
        db: &impl ConnectionTrait,
        user: Uuid,
        names: &[String],
    ) -> Result<Vec<String>, AccountError> {
        let roles = store::roles_named(db, names).await?;
        if let Some(unknown) = names.iter().find(|n| !roles.iter().any(|r| r.name == **n)) {
            return Err(AccountError::Invalid("roles", format!("There is no role `{unknown}`.")));
        }
        self.require_covered(ctx, &roles)?;
        user_role::Entity::delete_many().filter(user_role::Column::UserId.eq(user)).exec(db).await?;
        for role in &roles {
            let link = user_role::ActiveModel { user_id: Set(user), role_id: Set(role.id) };
            user_role::Entity::insert(link).exec_without_returning(db).await?;
        }
        Ok(roles.into_iter().map(|r| r.name).collect())
    }
}

/// A unique constraint's failure is a taken name.
pub(super) fn taken(error: sea_orm::DbErr, kind: &'static str) -> AccountError {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => AccountError::NameTaken(kind),
        _ => error.into(),
    }
}

pub(super) fn checked_name(name: &str) -> Result<String, AccountError> {
    let name = name.trim().to_lowercase();
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-@".contains(&b);
    if (2..=64).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(name);
    }
    Err(AccountError::Invalid("name", "A user's name has 2 to 64 of a-z, 0-9, `.`, `_`, `-` and `@`.".into()))
}

pub(super) fn checked_text(field: &'static str, text: String) -> Result<String, AccountError> {
    let text = text.trim().to_owned();
    if text.chars().count() <= 200 && !text.chars().any(char::is_control) {
        return Ok(text);
    }
    Err(AccountError::Invalid(field, "At most 200 characters, without control characters.".into()))
}

pub(super) fn checked_email(email: Option<String>) -> Result<Option<String>, AccountError> {
    let Some(email) = email.map(|e| e.trim().to_owned()).filter(|e| !e.is_empty()) else { return Ok(None) };
    let parts = email.split_once('@').filter(|(l, d)| !l.is_empty() && !d.is_empty() && !d.contains('@'));
    if parts.is_some() && email.len() <= 254 && !email.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Ok(Some(email));
    }
    Err(AccountError::Invalid("email", "This is not an address for mail.".into()))
}
