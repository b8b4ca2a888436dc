//! Signing up, in and out.

use std::net::{IpAddr, Ipv6Addr};

use chrono::{DateTime, Duration, Utc};
use passwords::{limits::network, lockout::lock_after};
use sea_orm::{ConnectionTrait, DatabaseTransaction, SqlErr};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    AccountError, Accounts,
    entity::{session, user},
    store, text,
};
use crate::{
    audit::Change,
    ctx::{Actor, Ctx},
    secret,
};

/// Failures of one network address before waiting times begin: offices share addresses.
const FREE_FAILURES_OF_ADDRESS: u32 = 50;

/// An account to make.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignUp {
    /// Address of electronic mail; the name to sign in with.
    pub email: String,
    /// Name for people.
    pub name: String,
    /// Password.
    pub password: String,
    /// Name of the organisation to make; absent for somebody who was invited.
    #[serde(default)]
    pub organisation: Option<String>,
}

/// A person.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct User {
    /// Id.
    pub id: Uuid,
    /// Address.
    pub email: String,
    /// Name.
    pub name: String,
    /// Whether they work for the vendor.
    pub staff: bool,
}

impl From<user::Model> for User {
    fn from(row: user::Model) -> Self {
        Self { id: row.id, email: row.email, name: row.name, staff: row.staff }
    }
}

/// A session that has just begun.
pub struct NewSession {
    /// The secret for the cookie.
    pub token: String,
    /// Its end.
    pub expires_at: DateTime<Utc>,
    /// Whose it is.
    pub user: User,
}

/// What a right password leads to.
pub enum SignedIn {
    /// A session.
    Session(NewSession),
    /// A code of the second factor is to come, with this token.
    CodeWanted(String),
}

impl Accounts {
    /// Make an account, and the organisation that it owns where one is named.
    pub async fn sign_up(&self, visitor: &Ctx, new: SignUp) -> Result<NewSession, AccountError> {
        self.admit(visitor)?;
        let email = text::email(&new.email)?;
        let name = text::name("name", &new.name)?;
        let organisation = new.organisation.as_deref().map(|o| text::name("organisation", o)).transpose()?;
        passwords::check(&new.password, &email, self.core.config.auth.password_min_length)?;
        let password_hash = self.hasher.hash(&new.password).await?;
        let now = self.core.clock.now();
        let row = user::Model {
            id: Uuid::now_v7(),
            email: email.clone(),
            name,
            password_hash,
            staff: false,
            failed_logins: 0,
            locked_until: None,
            created_at: now,
        };
        let ctx = as_user(visitor, &row);
        let tx = self.core.db.begin().await?;
        if store::user_by_email(&tx, &email).await?.is_some() {
            return Err(AccountError::EmailTaken);
        }
        // PostgreSQL lets two through to here at once, and then one of them past it.
        store::insert_user(&tx, row.clone()).await.map_err(|error| match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => AccountError::EmailTaken,
            _ => error.into(),
        })?;
        let change = Change::new("user.signed_up", "user", row.id);
        self.core.audit.record_in(&ctx, &tx, change).await?;
        if let Some(organisation) = organisation {
            self.make_organisation(&ctx, &tx, row.id, organisation).await?;
        }
        let session = self.begin_session(&ctx, &tx, row).await?;
        tx.commit().await?;
        Ok(session)
    }

    /// Begin a session with address and password; half of one where there is a second factor.
    pub async fn sign_in(
        &self,
        visitor: &Ctx,
        email: &str,
        password: &str,
    ) -> Result<SignedIn, AccountError> {
        self.admit(visitor)?;
        let email = email.trim().to_lowercase();
        let row = store::user_by_email(self.core.db.read(), &email).await?;
        if let Some(left) = self.locked_for(&email, row.as_ref()) {
            return Err(AccountError::Locked(left));
        }
        let hashed = row.as_ref().map(|user| user.password_hash.clone());
        let fits = self.hasher.verify(password, hashed).await?;
        let Some(row) = row.filter(|_| fits) else {
            self.blame(visitor, &email).await?;
            return Err(AccountError::WrongLogin);
        };
        let tx = self.core.db.begin().await?;
        if self.has_second_factor(&tx, row.id).await? {
            // Failures stay counted until the code is right: the password alone must not buy further attempts.
            let token = self.begin_half_session(&tx, row.id).await?;
            tx.commit().await?;
            return Ok(SignedIn::CodeWanted(token));
        }
        Ok(SignedIn::Session(self.enter(visitor, tx, row).await?))
    }

    /// Make a whole session of a half one, with a code of the authenticator or a recovery code.
    pub async fn sign_in_with_code(
        &self,
        visitor: &Ctx,
        half: &str,
        code: &str,
    ) -> Result<NewSession, AccountError> {
        self.admit(visitor)?;
        let user = self.attempt_half_session(half).await?;
        let row = store::user(self.core.db.read(), user).await?.ok_or(AccountError::HalfSessionEnded)?;
        if let Some(left) = self.locked_for(&row.email, Some(&row)) {
            return Err(AccountError::Locked(left));
        }
        if !self.check_code(user, code).await? {
            self.blame(visitor, &row.email).await?;
            return Err(AccountError::WrongCode);
        }
        let tx = self.core.db.begin().await?;
        self.end_half_session(&tx, half).await?;
        self.enter(visitor, tx, row).await
    }

    async fn enter(
        &self,
        visitor: &Ctx,
        tx: DatabaseTransaction,
        row: user::Model,
    ) -> Result<NewSession, AccountError> {
        let ctx = as_user(visitor, &row);
        store::set_lock(&tx, row.id, None).await?;
        let session = self.begin_session(&ctx, &tx, row).await?;
        tx.commit().await?;
        Ok(session)
    }

    /// End the session behind a request.
    pub async fn sign_out(&self, ctx: &Ctx) -> Result<(), AccountError> {
        let Some(session) = ctx.session else { return Ok(()) };
        let tx = self.core.db.begin().await?;
        store::delete_session(&tx, session).await?;
        let change = Change::new("session.ended", "session", session);
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Oneself.
    pub async fn me(&self, ctx: &Ctx) -> Result<User, AccountError> {
        let id = ctx.actor.user().ok_or(AccountError::NotFound("user"))?;
        let row = store::user(self.core.db.read(), id).await?;
        Ok(row.ok_or(AccountError::NotFound("user"))?.into())
    }

    /// Make somebody one of the vendor's staff, or end that.
    pub async fn set_staff(&self, ctx: &Ctx, email: &str, staff: bool) -> Result<User, AccountError> {
        ctx.require_staff()?;
        let tx = self.core.db.begin().await?;
        let row = store::user_by_email(&tx, &text::email(email)?).await?;
        let row = row.ok_or(AccountError::NotFound("user"))?;
        store::set_staff(&tx, row.id, staff).await?;
        let change =
            Change::new("user.staff_changed", "user", row.id).detail(serde_json::json!({"staff": staff}));
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        Ok(User { staff, ..row.into() })
    }

    /// Refuse an address that tries too often, or has failed too often.
    pub(super) fn admit(&self, visitor: &Ctx) -> Result<(), AccountError> {
        let ip = visitor.client_ip.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
        self.attempts.attempt(ip).map_err(AccountError::TooMany)?;
        match self.failures.locked_for(&address_key(ip), self.core.clock.now()) {
            Some(left) => Err(AccountError::TooMany(left)),
            None => Ok(()),
        }
    }

    /// Seconds that a name has to wait. Names that nobody has wait alike.
    pub(super) fn locked_for(&self, email: &str, user: Option<&user::Model>) -> Option<u64> {
        let now = self.core.clock.now();
        let Some(user) = user else { return self.failures.locked_for(email, now) };
        let left = user.locked_until? - now;
        (left > Duration::zero()).then(|| u64::try_from(left.num_seconds()).unwrap_or(0) + 1)
    }

    pub(super) async fn blame(&self, visitor: &Ctx, email: &str) -> Result<(), AccountError> {
        let (now, free) = (self.core.clock.now(), self.core.config.auth.free_failures);
        if let Some(ip) = visitor.client_ip {
            self.failures.count(&address_key(ip), now, FREE_FAILURES_OF_ADDRESS);
        }
        let tx = self.core.db.begin().await?;
        let Some(user) = store::user_by_email(&tx, email).await? else {
            self.failures.count(email, now, free);
            return Ok(());
        };
        let failures = store::count_failure(&tx, user.id).await?;
        if let Some(lock) = lock_after(u32::try_from(failures).unwrap_or(0), free) {
            store::set_lock(&tx, user.id, Some(now + lock)).await?;
        }
        let change = Change::new("session.refused", "user", user.id);
        self.core.audit.record_in(visitor, &tx, change).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn begin_session(
        &self,
        ctx: &Ctx,
        tx: &impl ConnectionTrait,
        user: user::Model,
    ) -> Result<NewSession, AccountError> {
        let (token, now) = (secret::new(""), self.core.clock.now());
        let expires_at = now + Duration::hours(self.core.config.auth.session_hours.into());
        let row = session::Model {
            id: Uuid::now_v7(),
            user_id: user.id,
            token_hash: secret::hash(&token),
            created_at: now,
            expires_at,
            client_ip: ctx.client_ip.map(|ip| ip.to_string()),
        };
        let change = Change::new("session.began", "session", row.id);
        store::insert_session(tx, row).await?;
        self.core.audit.record_in(ctx, tx, change).await?;
        Ok(NewSession { token, expires_at, user: user.into() })
    }
}

fn as_user(visitor: &Ctx, user: &user::Model) -> Ctx {
    Ctx { actor: Actor::User(user.id), actor_name: user.name.clone(), ..visitor.clone() }
}

fn address_key(ip: IpAddr) -> String {
    format!("address {}", network(ip))
}
