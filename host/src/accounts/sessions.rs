//! Sessions: list, log out, end.

use chrono::Duration;
use data_encoding::HEXLOWER;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::{AccountError, Services, Session, entity::session, store};
use crate::{audit::Change, ctx::Ctx};

/// Name of the session's cookie.
pub const COOKIE: &str = "__Host-session";

impl Services {
    /// End the session of `token`. How it began.
    pub async fn log_out(&self, ctx: &Ctx, token: &str) -> Result<Option<String>, AccountError> {
        let Some(session) = store::session_by_hash(self.core.db.read(), &hash(token)).await? else {
            return Ok(None);
        };
        self.end_session(ctx, session.id).await?;
        Ok(Some(session.method))
    }

    /// One's own sessions, newest first.
    pub async fn own_sessions(&self, ctx: &Ctx) -> Result<Vec<Session>, AccountError> {
        let user = ctx.actor.user_id().ok_or(AccountError::NotFound("user"))?;
        self.sessions_of(ctx, user).await
    }

    /// Sessions of a user, newest first.
    pub async fn user_sessions(&self, ctx: &Ctx, user: Uuid) -> Result<Vec<Session>, AccountError> {
        ctx.require("users:manage")?;
        self.user(self.core.db.read(), user).await?;
        self.sessions_of(ctx, user).await
    }

    async fn sessions_of(&self, ctx: &Ctx, user: Uuid) -> Result<Vec<Session>, AccountError> {
        let rows = store::sessions(self.core.db.read(), user).await?;
        let seen = |row| {
            let session = Session::from(row);
            Session { current: ctx.session == Some(session.id), ..session }
        };
        Ok(rows.into_iter().map(seen).collect())
    }

    /// End one of one's own sessions.
    pub async fn end_session(&self, ctx: &Ctx, id: Uuid) -> Result<(), AccountError> {
        let user = ctx.actor.user_id().ok_or(AccountError::NotFound("session"))?;
        self.end_session_of(ctx, user, id).await
    }

    /// End one's own sessions but the one that asks. How many there were.
    pub async fn end_other_sessions(&self, ctx: &Ctx) -> Result<u64, AccountError> {
        let user = ctx.actor.user_id().ok_or(AccountError::NotFound("user"))?;
        self.end_sessions_of(ctx, user, ctx.session).await
    }

    /// End one session of a user.
    pub async fn end_user_session(&self, ctx: &Ctx, user: Uuid, id: Uuid) -> Result<(), AccountError> {
        ctx.require("users:manage")?;
        self.require_not_above(ctx, self.core.db.read(), user).await?;
        self.end_session_of(ctx, user, id).await
    }

    /// End every session of a user. How many there were.
    pub async fn end_user_sessions(&self, ctx: &Ctx, user: Uuid) -> Result<u64, AccountError> {
        ctx.require("users:manage")?;
        self.user(self.core.db.read(), user).await?;
        self.require_not_above(ctx, self.core.db.read(), user).await?;
        self.end_sessions_of(ctx, user, None).await
    }

    async fn end_session_of(&self, ctx: &Ctx, user: Uuid, id: Uuid) -> Result<(), AccountError> {
        let tx = self.core.db.begin().await?;
        let ended = session::Entity::delete_many()
            .filter(session::Column::Id.eq(id))
            .filter(session::Column::UserId.eq(user))
            .exec(&tx)
            .await?;
        if ended.rows_affected == 0 {
            return Err(AccountError::NotFound("session"));
        }
        self.core.audit.record_in(ctx, &tx, Change::new("session.ended", "session", id)).await?;
        tx.commit().await?;
        self.identities.clear();
        Ok(())
    }

    async fn end_sessions_of(&self, ctx: &Ctx, user: Uuid, keep: Option<Uuid>) -> Result<u64, AccountError> {
        let tx = self.core.db.begin().await?;
        let ended = store::end_sessions(&tx, user, keep).await?;
        let change =
            Change::new("user.sessions_ended", "user", user).after(serde_json::json!({"ended": ended}));
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        self.identities.clear();
        Ok(ended)
    }

    /// Delete what has ended.
    pub async fn sweep(&self) -> Result<u64, AccountError> {
        let now = self.core.clock.now();
        let idle_since = now - Duration::minutes(self.core.config.auth.session_idle_minutes.into());
        Ok(store::delete_ended(self.core.db.write(), now, idle_since).await?)
    }
}

/// What is kept of a session's or API token's secret. The secret has 256 random bits, so one round is enough.
pub(super) fn hash(token: &str) -> String {
    HEXLOWER.encode(ring::digest::digest(&ring::digest::SHA256, token.as_bytes()).as_ref())
}
