//! The second factor of a user: set up, asked for, taken away; and recovery codes.

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
    sea_query::{Expr, ExprTrait as _, OnConflict},
};
use second_factor::{compact, recovery, totp};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    AccountError, Services,
    entity::{recovery_code, totp as row, user},
    sessions::hash,
    store,
};
use crate::{audit::Change, ctx::Ctx, keys};

/// What to put into an authenticator. Told once.
#[derive(Serialize, ToSchema)]
pub struct Enrolment {
    /// To type in by hand.
    pub secret: String,
    /// What the QR code says.
    pub uri: String,
    /// The QR code as SVG.
    pub qr_svg: String,
}

/// The state of one's second factor.
#[derive(Serialize, ToSchema)]
pub struct SecondFactor {
    /// Whether a code is asked for at sign-in.
    pub enabled: bool,
    /// Whether a role requires it.
    pub required: bool,
    /// Recovery codes that are left.
    pub recovery_codes_left: u64,
}

/// What proved to be somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Factor {
    Totp,
    RecoveryCode,
}

impl Services {
    /// One's own second factor.
    pub async fn own_totp(&self, ctx: &Ctx) -> Result<SecondFactor, AccountError> {
        let id = ctx.actor.user_id().ok_or(AccountError::NotFound("user"))?;
        let db = self.core.db.read();
        let user = user::Entity::find_by_id(id).one(db).await?.ok_or(AccountError::NotFound("user"))?;
        let left = recovery_code::Entity::find()
            .filter(recovery_code::Column::UserId.eq(id))
            .filter(recovery_code::Column::UsedAt.is_null())
            .count(db)
            .await?;
        let required = self.totp_required(id).await?;
        Ok(SecondFactor { enabled: user.totp_enabled, required, recovery_codes_left: left })
    }

    /// Begin to set up one's own.
    pub async fn begin_own_totp(&self, ctx: &Ctx, password: &str) -> Result<Enrolment, AccountError> {
        let id = ctx.actor.user_id().ok_or(AccountError::NotFound("user"))?;
        let user = self.require_password(ctx, id, password, "password").await?;
        if user.totp_enabled {
            return Err(AccountError::TotpAlready);
        }
        self.begin_totp(id, &user.name).await
    }

    /// Confirm one's own with a code: from now on it is asked for. Its recovery codes, told this once.
    pub async fn confirm_own_totp(&self, ctx: &Ctx, code: &str) -> Result<Vec<String>, AccountError> {
        let id = ctx.actor.user_id().ok_or(AccountError::NotFound("user"))?;
        self.confirm_totp(ctx, id, code).await
    }

    /// New recovery codes; the old ones end.
    pub async fn renew_recovery_codes(&self, ctx: &Ctx, password: &str) -> Result<Vec<String>, AccountError> {
        let id = ctx.actor.user_id().ok_or(AccountError::NotFound("user"))?;
        if !self.require_password(ctx, id, password, "password").await?.totp_enabled {
            return Err(AccountError::NoTotp);
        }
        let tx = self.core.db.begin().await?;
        let codes = new_recovery_codes(&tx, id).await?;
        self.core.audit.record_in(ctx, &tx, Change::new("user.recovery_codes_renewed", "user", id)).await?;
        tx.commit().await?;
        Ok(codes)
    }

    /// Turn one's own off.
    pub async fn disable_own_totp(&self, ctx: &Ctx, password: &str) -> Result<(), AccountError> {
        let id = ctx.actor.user_id().ok_or(AccountError::NotFound("user"))?;
        if !self.require_password(ctx, id, password, "password").await?.totp_enabled {
            return Err(AccountError::NoTotp);
        }
        if self.totp_required(id).await? {
            return Err(AccountError::TotpRequired);
        }
        self.remove_totp(ctx, id, "user.totp_disabled").await
    }

    /// Take a user's away, who lost it; their sessions end.
    pub async fn reset_totp(&self, ctx: &Ctx, id: Uuid) -> Result<(), AccountError> {
        ctx.require("users:manage")?;
        let user = user::Entity::find_by_id(id).one(self.core.db.read()).await?;
        user.ok_or(AccountError::NotFound("user"))?;
        self.require_not_above(ctx, self.core.db.read(), id).await?;
        self.remove_totp(ctx, id, "user.totp_reset").await
    }

    async fn remove_totp(&self, ctx: &Ctx, id: Uuid, action: &str) -> Result<(), AccountError> {
        let tx = self.core.db.begin().await?;
        row::Entity::delete_by_id(id).exec(&tx).await?;
        recovery_code::Entity::delete_many().filter(recovery_code::Column::UserId.eq(id)).exec(&tx).await?;
        set_enabled(&tx, id, false).await?;
        let keep = ctx.session.filter(|_| ctx.actor.user_id() == Some(id));
        store::end_sessions(&tx, id, keep).await?;
        self.core.audit.record_in(ctx, &tx, Change::new(action, "user", id)).await?;
        tx.commit().await?;
        self.identities.clear();
        Ok(())
    }

    /// Whether a role of the user requires a second factor.
    pub(super) async fn totp_required(&self, user: Uuid) -> Result<bool, AccountError> {
        let roles = store::roles_of(self.core.db.read(), &[user]).await?.remove(&user).unwrap_or_default();
        Ok(roles.iter().any(|r| r.require_totp))
    }

    /// A new secret, not asked for until a code confirms it.
    pub(super) async fn begin_totp(&self, id: Uuid, name: &str) -> Result<Enrolment, AccountError> {
        let secret = keys::random::<20>();
        let fresh = row::ActiveModel {
            user_id: Set(id),
            sealed: Set(self.core.keys.seal(&place(id), &secret)),
            confirmed_at: Set(None),
            last_step: Set(0),
            created_at: Set(self.core.clock.now()),
        };
        // One in force is never replaced: that would be a way around it.
        let replace = OnConflict::column(row::Column::UserId)
            .update_columns([row::Column::Sealed, row::Column::LastStep, row::Column::CreatedAt])
            .action_and_where(Expr::col((row::Entity, row::Column::ConfirmedAt)).is_null())
            .to_owned();
        let put =
            row::Entity::insert(fresh).on_conflict(replace).exec_without_returning(self.core.db.write());
        match put.await {
            Ok(1..) => {}
            Ok(0) | Err(sea_orm::DbErr::RecordNotInserted) => return Err(AccountError::TotpAlready),
            Err(error) => return Err(error.into()),
        }
        let uri = totp::uri(&secret, &self.core.config.public_name(), name);
        let qr_svg = totp::qr_svg(&uri).unwrap_or_default();
        Ok(Enrolment { secret: totp::shown(&secret), uri, qr_svg })
    }

    /// A code proves that the secret arrived.
    pub(super) async fn confirm_totp(
        &self,
        ctx: &Ctx,
        id: Uuid,
        code: &str,
    ) -> Result<Vec<String>, AccountError> {
        let found =
            row::Entity::find_by_id(id).one(self.core.db.read()).await?.ok_or(AccountError::NoTotp)?;
        if found.confirmed_at.is_some() {
            return Err(AccountError::TotpAlready);
        }
        let now = self.core.clock.now();
        let secret = self.core.keys.unseal(&place(id), &found.sealed)?;
        let step = totp::matching_step(&secret, &compact(code), now.timestamp());
        let step = step.ok_or(AccountError::WrongCode)?;
        let tx = self.core.db.begin().await?;
        let confirmed = row::Entity::update_many()
            .col_expr(row::Column::ConfirmedAt, Expr::value(now))
            .col_expr(row::Column::LastStep, Expr::value(step))
            .filter(row::Column::UserId.eq(id))
            .filter(row::Column::ConfirmedAt.is_null())
            // Not another secret that was begun meanwhile.
            .filter(row::Column::Sealed.eq(found.sealed))
            .exec(&tx)
            .await?;
        if confirmed.rows_affected == 0 {
            return Err(AccountError::WrongCode);
        }
        set_enabled(&tx, id, true).await?;
        let codes = new_recovery_codes(&tx, id).await?;
        self.core.audit.record_in(ctx, &tx, Change::new("user.totp_enabled", "user", id)).await?;
        tx.commit().await?;
        Ok(codes)
    }

    /// Whether a code is right; each is taken once.
    pub(super) async fn check_code(&self, id: Uuid, code: &str) -> Result<Option<Factor>, AccountError> {
        let code = compact(code);
        let now = self.core.clock.now();
        let db = self.core.db.write();
        if code.len() != 6 {
            let used = recovery_code::Entity::update_many()
                .col_expr(recovery_code::Column::UsedAt, Expr::value(now))
                .filter(recovery_code::Column::UserId.eq(id))
                .filter(recovery_code::Column::CodeHash.eq(hash(&code)))
                .filter(recovery_code::Column::UsedAt.is_null())
                .exec(db)
                .await?;
            return Ok((used.rows_affected == 1).then_some(Factor::RecoveryCode));
        }
        let Some(found) = row::Entity::find_by_id(id).one(db).await? else { return Ok(None) };
        let secret = self.core.keys.unseal(&place(id), &found.sealed)?;
        let Some(step) = totp::matching_step(&secret, &code, now.timestamp()) else { return Ok(None) };
        // Only forward: a code that was seen, or one before it, is not taken again.
        let moved = row::Entity::update_many()
            .col_expr(row::Column::LastStep, Expr::value(step))
            .filter(row::Column::UserId.eq(id))
            .filter(row::Column::ConfirmedAt.is_not_null())
            .filter(row::Column::LastStep.lt(step))
            .exec(db)
            .await?;
        Ok((moved.rows_affected == 1).then_some(Factor::Totp))
    }
}

fn place(user: Uuid) -> String {
    format!("totp:{user}")
}

async fn set_enabled(db: &impl ConnectionTrait, id: Uuid, enabled: bool) -> Result<(), AccountError> {
    let change = user::ActiveModel { id: Set(id), totp_enabled: Set(enabled), ..Default::default() };
    change.update(db).await?;
    Ok(())
}

async fn new_recovery_codes(db: &impl ConnectionTrait, user: Uuid) -> Result<Vec<String>, AccountError> {
    recovery_code::Entity::delete_many().filter(recovery_code::Column::UserId.eq(user)).exec(db).await?;
    let mut codes = Vec::with_capacity(recovery::COUNT);
    for _ in 0..recovery::COUNT {
        let code = recovery::new();
        let row = recovery_code::ActiveModel {
            id: Set(Uuid::now_v7()),
            user_id: Set(user),
            code_hash: Set(hash(&code)),
            used_at: Set(None),
        };
        row.insert(db).await?;
        codes.push(recovery::shown(&code));
    }
    Ok(codes)
}
