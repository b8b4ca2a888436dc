//! Signing in: name and password, then a code where the user has or needs a second factor.

use std::net::IpAddr;

use ::passwords::{limits::network, lockout::lock_after};
use chrono::{DateTime, Duration, Utc};
use data_encoding::BASE64URL_NOPAD;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    AccountError, Services, Session, UserState,
    entity::{session, user},
    flows::Kind,
    second_factor::{Enrolment, Factor},
    sessions::hash,
    store,
};
use crate::{
    audit::{Change, Outcome},
    ctx::{Actor, Ctx},
    keys,
};

/// How long the second step may take.
const HALF_SESSION: Duration = Duration::minutes(5);

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
#[derive(Clone)]
pub struct Client {
    /// Address.
    pub ip: Option<IpAddr>,
    /// Program.
    pub user_agent: Option<String>,
    /// Request.
    pub request_id: String,
}

/// What a password leads to.
pub enum SignedIn {
    /// A session.
    Whole(NewSession),
    /// A second step.
    Half(HalfSession),
}

/// What is missing for a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NextStep {
    /// The code of the second factor, or a recovery code.
    Totp,
    /// A second factor: a role requires one, and there is none yet.
    EnrolTotp,
}

/// A password was right; this much is missing.
#[derive(Serialize, ToSchema)]
pub struct HalfSession {
    /// What comes next.
    pub next: NextStep,
    /// Send it with the next step. It allows nothing else.
    pub half_session: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

impl Services {
    /// Log in. Takes as long, and locks as soon, for a user who does not exist.
    pub async fn log_in(&self, name: &str, password: &str, client: Client) -> Result<SignedIn, AccountError> {
        if !self.core.config.auth.password_login {
            return Err(AccountError::NoPasswords);
        }
        self.admit(&client)?;
        let now = self.core.clock.now();
        let name: String = name.trim().to_lowercase().chars().take(100).collect();
        let user = store::user_by_name(self.core.db.read(), &name).await?;
        let left = match &user {
            Some(user) => self.locked_for(user),
            None => self.failures.locked_for(&name, now),
        };
        if let Some(left) = left {
            return Err(AccountError::Locked(left));
        }
        let fits = self.hasher.verify(password, user.as_ref().map(|u| u.password_hash.clone())).await?;
        let Some(user) = user else {
            self.failures.count(&name, now, self.core.config.auth.lockout_after);
            self.blame(&client);
            return Err(AccountError::WrongLogin);
        };
        let ctx = context(&user, &client);
        if !fits || UserState::of(&user.state) == UserState::Disabled {
            self.blame(&client);
            self.count_failure(&ctx, user).await?;
            return Err(AccountError::WrongLogin);
        }
        let next = match user.totp_enabled {
            true => Some(NextStep::Totp),
            false if self.totp_required(user.id).await? => Some(NextStep::EnrolTotp),
            false => None,
        };
        let Some(next) = next else {
            return Ok(SignedIn::Whole(self.begin_session(&ctx, user, client, "password").await?));
        };
        let kind = if next == NextStep::Totp { Kind::Totp } else { Kind::EnrolTotp };
        let (half_session, expires_at) = self.begin_flow(kind, Some(user.id), HALF_SESSION, None).await?;
        Ok(SignedIn::Half(HalfSession { next, half_session, expires_at }))
    }

    /// The second step: a code of the second factor, or a recovery code.
    pub async fn log_in_with_code(
        &self,
        half_session: &str,
        code: &str,
        client: Client,
    ) -> Result<NewSession, AccountError> {
        self.admit(&client)?;
        let flow = self.use_flow(Kind::Totp, half_session).await?;
        let user = self.half_user(flow.user_id).await?;
        let ctx = context(&user, &client);
        let method = match self.check_code(user.id, code).await? {
            Some(Factor::Totp) => "password+totp",
            Some(Factor::RecoveryCode) => "password+recovery_code",
            None => {
                self.blame(&client);
                self.count_failure(&ctx, user).await?;
                return Err(AccountError::WrongCode);
            }
        };
        if !self.end_flow(flow.id).await? {
            return Err(AccountError::HalfSessionEnded);
        }
        self.begin_session(&ctx, user, client, method).await
    }

    /// The second step where a second factor has to be set up: its secret.
    pub async fn enrol_at_log_in(
        &self,
        half_session: &str,
        client: &Client,
    ) -> Result<Enrolment, AccountError> {
        self.admit(client)?;
        let flow = self.use_flow(Kind::EnrolTotp, half_session).await?;
        let user = self.half_user(flow.user_id).await?;
        self.begin_totp(user.id, &user.name).await
    }

    /// The third step of that: a code proves that the secret arrived.
    pub async fn confirm_at_log_in(
        &self,
        half_session: &str,
        code: &str,
        client: Client,
    ) -> Result<(NewSession, Vec<String>), AccountError> {
        self.admit(&client)?;
        let flow = self.use_flow(Kind::EnrolTotp, half_session).await?;
        let user = self.half_user(flow.user_id).await?;
        let ctx = context(&user, &client);
        let codes = self.confirm_totp(&ctx, user.id, code).await?;
        if !self.end_flow(flow.id).await? {
            return Err(AccountError::HalfSessionEnded);
        }
        let user = self.half_user(Some(user.id)).await?;
        Ok((self.begin_session(&ctx, user, client, "password+totp").await?, codes))
    }

    /// The user of a half-session, who may have been disabled or locked meanwhile.
    async fn half_user(&self, id: Option<Uuid>) -> Result<user::Model, AccountError> {
        let id = id.ok_or(AccountError::HalfSessionEnded)?;
        let user = user::Entity::find_by_id(id).one(self.core.db.write()).await?;
        let user = user.filter(|u| UserState::of(&u.state) == UserState::Active);
        let user = user.ok_or(AccountError::HalfSessionEnded)?;
        match self.locked_for(&user) {
            Some(left) => Err(AccountError::Locked(left)),
            None => Ok(user),
        }
    }

    /// Refuse addresses that try too often, or were wrong too often.
    pub(super) fn admit(&self, client: &Client) -> Result<(), AccountError> {
        let Some(ip) = client.ip else { return Ok(()) };
        if let Some(left) = self.failures.locked_for(&address_key(ip), self.core.clock.now()) {
            return Err(AccountError::TooMany(left));
        }
        self.logins.attempt(ip).map_err(AccountError::TooMany)
    }

    /// Count a failure of the client's address.
    pub(super) fn blame(&self, client: &Client) {
        if let Some(ip) = client.ip {
            let allowed = self.core.config.auth.address_lockout_after;
            self.failures.count(&address_key(ip), self.core.clock.now(), allowed);
        }
    }

    pub(super) fn locked_for(&self, user: &user::Model) -> Option<u64> {
        let left = user.locked_until? - self.core.clock.now();
        (left > Duration::zero()).then(|| u64::try_from(left.num_seconds()).unwrap_or(0) + 1)
    }

    /// Count a wrong password or code of a user. Read again in the transaction: two at once count twice.
    pub(super) async fn count_failure(&self, ctx: &Ctx, user: user::Model) -> Result<(), AccountError> {
        let id = user.id;
        let tx = self.core.db.begin().await?;
        let Some(user) = user::Entity::find_by_id(id).one(&tx).await? else { return Ok(()) };
        let failures = user.failed_logins.saturating_add(1);
        let mut row = user.into_active_model();
        row.failed_logins = Set(failures);
        let allowed = self.core.config.auth.lockout_after;
        if let Some(lock) = lock_after(u32::try_from(failures).unwrap_or(0), allowed) {
            row.locked_until = Set(Some(self.core.clock.now() + lock));
        }
        row.update(&tx).await?;
        let change = Change::new("session.refused", "user", id)
            .outcome(Outcome::Refused)
            .after(serde_json::json!({"failures": failures}));
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        Ok(())
    }

    pub(super) async fn begin_session(
        &self,
        ctx: &Ctx,
        user: user::Model,
        client: Client,
        method: &str,
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
            method: Set(method.into()),
        };
        let tx = self.core.db.begin().await?;
        let mut user = user.into_active_model();
        user.failed_logins = Set(0);
        user.locked_until = Set(None);
        user.last_login_at = Set(Some(now));
        user.update(&tx).await?;
        let session = Session::from(row.insert(&tx).await?);
        let change = Change::new("session.created", "session", session.id)
            .after(serde_json::json!({"method": session.method, "device": session.device}));
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        Ok(NewSession { token, session, user_id })
    }
}

fn address_key(ip: IpAddr) -> String {
    format!("address {}", network(ip))
}

/// The context of somebody who signs in: nobody with rights yet.
pub(super) fn context(user: &user::Model, client: &Client) -> Ctx {
    let mut ctx = Ctx::new(Actor::User(user.id), user.name.clone(), Vec::new(), client.request_id.clone());
    ctx.client_ip = client.ip;
    ctx.user_agent = client.user_agent.clone();
    ctx
}
