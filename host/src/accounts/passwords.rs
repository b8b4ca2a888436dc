//! New passwords: checked, hashed, and not one of the last few.

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use super::{
    AccountError, Services,
    entity::{password_history, user},
    store,
};
use crate::{audit::Change, ctx::Ctx};

/// Why a password changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// Its owner wants another.
    Own,
    /// An administrator gives another.
    Reset,
}

impl Services {
    /// Check a password for the user `name`, and hash it.
    pub(super) async fn new_password(&self, text: &str, name: &str) -> Result<String, AccountError> {
        let auth = &self.core.config.auth;
        ::passwords::check(text, name, auth.password_min_length)?;
        if self.breached.contains(text).await? {
            let why = "This password is in a list of passwords that were stolen somewhere; choose another.";
            return Err(AccountError::Invalid("password", why.into()));
        }
        Ok(self.hasher.hash(text).await?)
    }

    /// Give a user a new password, and end their sessions.
    pub async fn reset_password(&self, ctx: &Ctx, id: Uuid, new: &str) -> Result<(), AccountError> {
        ctx.require("users:manage")?;
        self.set_password(ctx, id, new, Why::Reset).await
    }

    /// Change one's own password, and end one's other sessions.
    pub async fn change_own_password(&self, ctx: &Ctx, current: &str, new: &str) -> Result<(), AccountError> {
        let id = ctx.actor.user_id().ok_or(AccountError::NotFound("user"))?;
        self.require_password(ctx, id, current, "current").await?;
        self.set_password(ctx, id, new, Why::Own).await
    }

    /// Ask for one's password again before something that must not happen on an unattended screen. Wrong ones count
    /// towards the lock, so that a stolen session is no way to guess it.
    pub(super) async fn require_password(
        &self,
        ctx: &Ctx,
        id: Uuid,
        password: &str,
        field: &'static str,
    ) -> Result<user::Model, AccountError> {
        let row = user::Entity::find_by_id(id).one(self.core.db.read()).await?;
        let row = row.ok_or(AccountError::NotFound("user"))?;
        if let Some(left) = self.locked_for(&row) {
            return Err(AccountError::Locked(left));
        }
        if row.password_hash.is_empty() {
            return Err(AccountError::Invalid(
                field,
                "You have no password here; sign in again instead.".into(),
            ));
        }
        if self.hasher.verify(password, Some(row.password_hash.clone())).await? {
            return Ok(row);
        }
        self.count_failure(ctx, row).await?;
        Err(AccountError::Invalid(field, "This is not your current password.".into()))
    }

    async fn set_password(&self, ctx: &Ctx, id: Uuid, new: &str, why: Why) -> Result<(), AccountError> {
        let user = self.user(self.core.db.read(), id).await?;
        if why == Why::Reset && ctx.actor.user_id() != Some(id) {
            // Before anything is said of the password: whether it was used already is not for everybody to find out.
            self.require_not_above(ctx, self.core.db.read(), id).await?;
        }
        let hash = self.new_password(new, &user.name).await?;
        self.refuse_reuse(id, new).await?;
        let tx = self.core.db.begin().await?;
        if why == Why::Reset && ctx.actor.user_id() != Some(id) {
            self.require_not_above(ctx, &tx, id).await?;
        }
        self.remember_password(&tx, id).await?;
        let row = user::ActiveModel {
            id: Set(id),
            password_hash: Set(hash),
            failed_logins: Set(0),
            locked_until: Set(None),
            updated_at: Set(self.core.clock.now()),
            ..Default::default()
        };
        row.update(&tx).await?;
        let (action, keep) = match why {
            Why::Own => ("user.password_changed", ctx.session),
            Why::Reset => ("user.password_reset", None),
        };
        let ended = store::end_sessions(&tx, id, keep).await?;
        let change = Change::new(action, "user", id).after(serde_json::json!({"sessions_ended": ended}));
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        self.identities.clear();
        Ok(())
    }

    /// Refuse the password in force and those before it.
    async fn refuse_reuse(&self, id: Uuid, new: &str) -> Result<(), AccountError> {
        let db = self.core.db.read();
        let before = u64::from(self.core.config.auth.password_history);
        let now = user::Entity::find_by_id(id).one(db).await?.map(|u| u.password_hash);
        let past = password_history::Entity::find()
            .filter(password_history::Column::UserId.eq(id))
            .order_by_desc(password_history::Column::Id)
            .limit(before)
            .all(db)
            .await?;
        let hashes =
            now.into_iter().chain(past.into_iter().map(|p| p.password_hash)).filter(|h| !h.is_empty());
        for hash in hashes {
            if self.hasher.verify(new, Some(hash)).await? {
                let why =
                    format!("This is your password, or one of the {before} before it; choose a new one.");
                return Err(AccountError::Invalid("password", why));
            }
        }
        Ok(())
    }

    /// Keep the password in force as a past one, and as many of those as the policy looks at.
    async fn remember_password(&self, db: &impl ConnectionTrait, id: Uuid) -> Result<(), AccountError> {
        use password_history::{ActiveModel, Column, Entity};
        let Some(old) = user::Entity::find_by_id(id).one(db).await? else { return Ok(()) };
        if old.password_hash.is_empty() || self.core.config.auth.password_history == 0 {
            return Ok(());
        }
        let row = ActiveModel {
            id: Set(Uuid::now_v7()),
            user_id: Set(id),
            password_hash: Set(old.password_hash),
            created_at: Set(self.core.clock.now()),
        };
        row.insert(db).await?;
        let kept: Vec<Uuid> = Entity::find()
            .filter(Column::UserId.eq(id))
            .order_by_desc(Column::Id)
            .limit(u64::from(self.core.config.auth.password_history))
            .all(db)
            .await?
            .into_iter()
            .map(|p| p.id)
            .collect();
        Entity::delete_many()
            .filter(Column::UserId.eq(id))
            .filter(Column::Id.is_not_in(kept))
            .exec(db)
            .await?;
        Ok(())
    }
}
