//! The second factor of a person: set up, asked for at sign-in, taken away; and recovery codes.

pub mod entity;
mod store;

use std::{
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use ::second_factor::{Sealer, compact, random, recovery, totp};
use anyhow::Context;
use chrono::{DateTime, Duration, Utc};
use sea_orm::ConnectionTrait;
use serde::Serialize;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{AccountError, Accounts, entity::user, store as people};
use crate::{audit::Change, ctx::Ctx, secret};
use entity::{half, totp as row};

/// How long after the password the code may come.
const HALF_SESSION: Duration = Duration::minutes(10);
/// Codes that may be tried after one password.
const MOST_ATTEMPTS: i32 = 5;

/// What to put into an authenticator. Told once.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Enrolment {
    /// To type in by hand.
    pub secret: String,
    /// What the QR code says.
    pub uri: String,
    /// The QR code as SVG.
    pub qr_svg: String,
}

/// The state of one's second factor.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SecondFactor {
    /// Whether a code is asked for at sign-in.
    pub enabled: bool,
    /// Whether one must have it to work for the vendor.
    pub required: bool,
    /// Recovery codes that are left.
    pub recovery_codes_left: u64,
}

impl Accounts {
    /// One's own second factor.
    pub async fn own_second_factor(&self, ctx: &Ctx) -> Result<SecondFactor, AccountError> {
        let id = ctx.require_person()?;
        let db = self.core.db.read();
        let user = people::user(db, id).await?.ok_or(AccountError::NotFound("user"))?;
        Ok(SecondFactor {
            enabled: self.has_second_factor(db, id).await?,
            required: user.staff && self.core.config.auth.staff_second_factor,
            recovery_codes_left: store::codes_left(db, id).await?,
        })
    }

    /// Whether a code is asked for at sign-in.
    pub(super) async fn has_second_factor(
        &self,
        db: &impl ConnectionTrait,
        user: Uuid,
    ) -> Result<bool, AccountError> {
        Ok(store::totp(db, user).await?.is_some_and(|row| row.confirmed_at.is_some()))
    }

    /// Begin to set up one's own: a new secret, not asked for until a code confirms it.
    pub async fn begin_second_factor(&self, ctx: &Ctx, password: &str) -> Result<Enrolment, AccountError> {
        let user = self.require_password(ctx, password).await?;
        let secret = random::<20>();
        let fresh = row::Model {
            user_id: user.id,
            sealed: self.sealer.seal(&place(user.id), &secret),
            confirmed_at: None,
            last_step: 0,
            created_at: self.core.clock.now(),
        };
        if !store::begin(self.core.db.write(), fresh).await? {
            return Err(AccountError::SecondFactorAlready);
        }
        let uri = totp::uri(&secret, "portal", &user.email);
        let qr_svg = totp::qr_svg(&uri).unwrap_or_default();
        Ok(Enrolment { secret: totp::shown(&secret), uri, qr_svg })
    }

    /// Confirm one's own with a code: from now on one is asked for, and other sessions end. Recovery codes, told this once.
    pub async fn confirm_second_factor(&self, ctx: &Ctx, code: &str) -> Result<Vec<String>, AccountError> {
        let id = ctx.require_person()?;
        self.admit(ctx)?;
        let found = store::totp(self.core.db.read(), id).await?.ok_or(AccountError::NoSecondFactor)?;
        if found.confirmed_at.is_some() {
            return Err(AccountError::SecondFactorAlready);
        }
        let now = self.core.clock.now();
        let secret = self.sealer.unseal(&place(id), &found.sealed)?;
        let step = totp::matching_step(&secret, &compact(code), now.timestamp());
        let step = step.ok_or(AccountError::WrongCode)?;
        let tx = self.core.db.begin().await?;
        // Not another secret that was begun meanwhile.
        if !store::confirm(&tx, found, step, now).await? {
            return Err(AccountError::WrongCode);
        }
        let codes = new_codes(&tx, id).await?;
        people::end_sessions(&tx, id, ctx.session).await?;
        self.core.audit.record_in(ctx, &tx, Change::new("user.second_factor_enabled", "user", id)).await?;
        tx.commit().await?;
        Ok(codes)
    }

    /// New recovery codes; the old ones end.
    pub async fn renew_recovery_codes(&self, ctx: &Ctx, password: &str) -> Result<Vec<String>, AccountError> {
        let user = self.require_password(ctx, password).await?;
        let tx = self.core.db.begin().await?;
        if !self.has_second_factor(&tx, user.id).await? {
            return Err(AccountError::NoSecondFactor);
        }
        let codes = new_codes(&tx, user.id).await?;
        let change = Change::new("user.recovery_codes_renewed", "user", user.id);
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        Ok(codes)
    }

    /// Turn one's own off.
    pub async fn disable_second_factor(&self, ctx: &Ctx, password: &str) -> Result<(), AccountError> {
        let user = self.require_password(ctx, password).await?;
        if user.staff && self.core.config.auth.staff_second_factor {
            return Err(AccountError::SecondFactorRequired);
        }
        self.remove_second_factor(ctx, user.id, "user.second_factor_disabled").await
    }

    /// Take somebody's away, who lost it; their sessions end.
    pub async fn reset_second_factor(&self, ctx: &Ctx, email: &str) -> Result<(), AccountError> {
        ctx.require_staff()?;
        let row = people::user_by_email(self.core.db.read(), &super::text::email(email)?).await?;
        let row = row.ok_or(AccountError::NotFound("user"))?;
        self.remove_second_factor(ctx, row.id, "user.second_factor_reset").await
    }

    async fn remove_second_factor(
        &self,
        ctx: &Ctx,
        id: Uuid,
        action: &'static str,
    ) -> Result<(), AccountError> {
        let tx = self.core.db.begin().await?;
        if !store::remove(&tx, id).await? {
            return Err(AccountError::NoSecondFactor);
        }
        let keep = ctx.session.filter(|_| ctx.actor.user() == Some(id));
        people::end_sessions(&tx, id, keep).await?;
        self.core.audit.record_in(ctx, &tx, Change::new(action, "user", id)).await?;
        tx.commit().await?;
        Ok(())
    }

    /// A half-session: the password was right, the code is to come.
    pub(super) async fn begin_half_session(
        &self,
        db: &impl ConnectionTrait,
        user: Uuid,
    ) -> Result<String, AccountError> {
        let token = secret::new("");
        let row = half::Model {
            token_hash: secret::hash(&token),
            user_id: user,
            attempts: 0,
            expires_at: self.core.clock.now() + HALF_SESSION,
        };
        store::insert_half(db, row).await?;
        Ok(token)
    }

    /// Whose half-session it is, one attempt counted.
    pub(super) async fn attempt_half_session(&self, token: &str) -> Result<Uuid, AccountError> {
        let (hash, now) = (secret::hash(token), self.core.clock.now());
        let user = store::attempt(self.core.db.write(), &hash, MOST_ATTEMPTS, now).await?;
        user.ok_or(AccountError::HalfSessionEnded)
    }

    /// End a half-session for a whole one.
    pub(super) async fn end_half_session(
        &self,
        db: &impl ConnectionTrait,
        token: &str,
    ) -> Result<(), AccountError> {
        let ended = store::end_half(db, &secret::hash(token)).await?;
        if ended { Ok(()) } else { Err(AccountError::HalfSessionEnded) }
    }

    /// Whether a code is right; each is taken once.
    pub(super) async fn check_code(&self, id: Uuid, code: &str) -> Result<bool, AccountError> {
        let (code, now) = (compact(code), self.core.clock.now());
        let db = self.core.db.write();
        if code.len() != 6 {
            return Ok(store::use_code(db, id, &secret::hash(&code), now).await?);
        }
        let Some(found) = store::totp(db, id).await? else { return Ok(false) };
        let secret = self.sealer.unseal(&place(id), &found.sealed)?;
        let Some(step) = totp::matching_step(&secret, &code, now.timestamp()) else { return Ok(false) };
        Ok(store::take_step(db, id, step).await?)
    }

    /// The person behind a session, who knows the password.
    async fn require_password(&self, ctx: &Ctx, password: &str) -> Result<user::Model, AccountError> {
        let id = ctx.require_person()?;
        self.admit(ctx)?;
        let user = people::user(self.core.db.read(), id).await?.ok_or(AccountError::NotFound("user"))?;
        if let Some(left) = self.locked_for(&user.email, Some(&user)) {
            return Err(AccountError::Locked(left));
        }
        if !self.hasher.verify(password, Some(user.password_hash.clone())).await? {
            self.blame(ctx, &user.email).await?;
            return Err(AccountError::WrongPassword);
        }
        Ok(user)
    }

    pub(super) async fn sweep_half_sessions(&self, now: DateTime<Utc>) -> Result<(), AccountError> {
        Ok(store::delete_ended(self.core.db.write(), now).await?)
    }
}

fn place(user: Uuid) -> String {
    format!("totp:{user}")
}

async fn new_codes(db: &impl ConnectionTrait, user: Uuid) -> Result<Vec<String>, AccountError> {
    let codes: Vec<String> = (0..recovery::COUNT).map(|_| recovery::new()).collect();
    store::replace_codes(db, user, codes.iter().map(|code| secret::hash(code)).collect()).await?;
    Ok(codes.iter().map(|code| recovery::shown(code)).collect())
}

/// The key that seals secrets: in a file that only the portal may read, made where there is none.
pub(super) fn open_sealer(file: &Path) -> anyhow::Result<Sealer> {
    let key = match std::fs::read(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            make_key(file).with_context(|| format!("cannot make {}", file.display()))?;
            std::fs::read(file)
        }
        read => read,
    };
    let key = Zeroizing::new(key.with_context(|| format!("cannot read {}", file.display()))?);
    Sealer::new(&key).with_context(|| format!("{} is damaged: restore it from a backup", file.display()))
}

/// Written beside, then linked: a process that makes it at the same moment wins or loses, and both use the winner's.
fn make_key(file: &Path) -> std::io::Result<()> {
    let beside = file.with_extension(format!("{}.new", Uuid::now_v7().simple()));
    let mut new = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    let key = Zeroizing::new(random::<{ Sealer::KEY_BYTES }>());
    let linked = new.write_all(key.as_slice()).and_then(|()| new.sync_all());
    let linked = linked.and_then(|()| std::fs::hard_link(&beside, file));
    std::fs::remove_file(&beside)?;
    match linked {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    }
}
