//! Sessions: log in, log out, list, end.

use std::net::IpAddr;

use chrono::Duration;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
};
use uuid::Uuid;

use super::{
    AccountError, Services, Session, UserState,
    entity::{session, user},
    store,
};
use crate::{
    audit::Change,
    ctx::{Actor, Ctx},
    keys,
};

/// Name of the session's cookie.
pub const COOKIE: &str = "__Host-session";
const MAX_LOCK_MINUTES: i64 = 60;

/// A session just begun.
pub struct NewSession {
    /// The secret, for the cookie.
    pub token: String,
    /// What is kept of it.
    pub session: Session,
    /// Whose it is.
    pub user_id: Uuid,
}

/// Who tries to log in.
pub struct Client {
    /// Address.
    pub ip: Option<IpAddr>,
    /// Program.
    pub user_agent: Option<String>,
    /// Request.
    pub request_id: String,
}

impl Services {
    /// Log in. Takes as long for a user who does not exist.
    pub async fn log_in(
        &self,
        name: &str,
        password: &str,
        client: Client,
    ) -> Result<NewSession, AccountError> {
        if let Some(ip) = client.ip {
            self.logins.attempt(ip).map_err(AccountError::TooMany)?;
        }
        let name = name.trim().to_lowercase();
        let user = store::user_by_name(self.core.db.read(), &name).await?;
        if let Some(left) = user.as_ref().and_then(|u| self.locked_for(u)) {
            return Err(AccountError::Locked(left));
        }
        let fits = self.hasher.verify(password, user.as_ref().map(|u| u.password_hash.clone())).await?;
        let Some(user) = user else { return Err(AccountError::WrongLogin) };
        let mut ctx =
            Ctx::new(Actor::User(user.id), user.name.clone(), Vec::new(), client.request_id.clone());
        ctx.client_ip = client.ip;
        if !fits || UserState::of(&user.state) == UserState::Disabled {
            self.count_failure(&ctx, user).await?;
            return Err(AccountError::WrongLogin);
        }
        self.begin_session(&ctx, user, client).await
    }

    fn locked_for(&self, user: &user::Model) -> Option<u64> {
        let left = user.locked_until? - self.core.clock.now();
        (left > Duration::zero()).then(|| u64::try_from(left.num_seconds()).unwrap_or(0) + 1)
    }

    async fn count_failure(&self, ctx: &Ctx, user: user::Model) -> Result<(), AccountError> {
        let failures = user.failed_logins.saturating_add(1);
        let beyond = i64::from(failures) - i64::from(self.core.config.auth.lockout_after);
        let id = user.id;
        let tx = self.core.db.begin().await?;
        let mut row = user.into_active_model();
        row.failed_logins = Set(failures);
        if beyond >= 0 {
            let minutes =
                1i64.checked_shl(u32::try_from(beyond.min(10)).unwrap_or(0)).unwrap_or(MAX_LOCK_MINUTES);
            row.locked_until =
                Set(Some(self.core.clock.now() + Duration::minutes(minutes.min(MAX_LOCK_MINUTES))));
        }
        row.update(&tx).await?;
        let change =
            Change::new("session.refused", "user", id).after(serde_json::json!({"failures": failures}));
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn begin_session(
        &self,
        ctx: &Ctx,
        user: user::Model,
        client: Client,
    ) -> Result<NewSession, AccountError> {
        let now = self.core.clock.now();
        let token = BASE64URL_NOPAD.encode(&keys::random::<32>());
        let user_id = user.id;
        let row = session::ActiveModel {
            id: Set(Uuid::now_v7()),
            user_id: Set(user_id),
            token_hash: Set(hash(&token)),
            client_ip: Set(client.ip.map(|ip| ip.to_string())),
            user_agent: Set(client.user_agent),
            created_at: Set(now),
            last_used_at: Set(now),
            expires_at: Set(now + Duration::hours(self.core.config.auth.session_hours.into())),
        };
        let tx = self.core.db.begin().await?;
        let mut user = user.into_active_model();
        user.failed_logins = Set(0);
        user.locked_until = Set(None);
        user.last_login_at = Set(Some(now));
        user.update(&tx).await?;
        let session = Session::from(row.insert(&tx).await?);
        self.core.audit.record_in(ctx, &tx, Change::new("session.created", "session", session.id)).await?;
        tx.commit().await?;
        Ok(NewSession { token, session, user_id })
    }

    /// End the session of `token`.
    pub async fn log_out(&self, ctx: &Ctx, token: &str) -> Result<(), AccountError> {
        if let Some(session) = store::session_by_hash(self.core.db.read(), &hash(token)).await? {
            self.end_session(ctx, session.id).await?;
        }
        Ok(())
    }

    /// One's own sessions, newest first.
    pub async fn own_sessions(&self, ctx: &Ctx) -> Result<Vec<Session>, AccountError> {
        let user = ctx.actor.user_id().ok_or(AccountError::NotFound("user"))?;
        let rows = session::Entity::find()
            .filter(session::Column::UserId.eq(user))
            .order_by_desc(session::Column::Id)
            .all(self.core.db.read())
            .await?;
        Ok(rows.into_iter().map(Session::from).collect())
    }

    /// End one of one's own sessions.
    pub async fn end_session(&self, ctx: &Ctx, id: Uuid) -> Result<(), AccountError> {
        let user = ctx.actor.user_id().ok_or(AccountError::NotFound("session"))?;
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
