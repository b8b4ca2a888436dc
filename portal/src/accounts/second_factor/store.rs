//! Queries of second factors. What may happen once is decided by the database.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter,
    sea_query::{Expr, ExprTrait as _, OnConflict},
};
use uuid::Uuid;

use super::entity::{half, recovery, totp};

pub(super) async fn totp(db: &impl ConnectionTrait, user: Uuid) -> Result<Option<totp::Model>, DbErr> {
    totp::Entity::find_by_id(user).one(db).await
}

/// Put a secret that is not confirmed; `false` where one is in force, which is never replaced.
pub(super) async fn begin(db: &impl ConnectionTrait, row: totp::Model) -> Result<bool, DbErr> {
    use totp::Column as C;
    let replace = OnConflict::column(C::UserId)
        .update_columns([C::Sealed, C::LastStep, C::CreatedAt])
        .action_and_where(Expr::col((totp::Entity, C::ConfirmedAt)).is_null())
        .to_owned();
    let fresh = totp::ActiveModel::from(row).reset_all();
    match totp::Entity::insert(fresh).on_conflict(replace).exec_without_returning(db).await {
        Ok(rows) => Ok(rows > 0),
        Err(DbErr::RecordNotInserted) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Confirm exactly this secret, which nobody has confirmed.
pub(super) async fn confirm(
    db: &impl ConnectionTrait,
    row: totp::Model,
    step: i64,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    use totp::Column as C;
    let changed = totp::Entity::update_many()
        .col_expr(C::ConfirmedAt, Expr::value(now))
        .col_expr(C::LastStep, Expr::value(step))
        .filter(C::UserId.eq(row.user_id))
        .filter(C::ConfirmedAt.is_null())
        .filter(C::Sealed.eq(row.sealed))
        .exec(db)
        .await?;
    Ok(changed.rows_affected == 1)
}

/// Take a step; `false` where it, or a later one, was taken.
pub(super) async fn take_step(db: &impl ConnectionTrait, user: Uuid, step: i64) -> Result<bool, DbErr> {
    use totp::Column as C;
    let changed = totp::Entity::update_many()
        .col_expr(C::LastStep, Expr::value(step))
        .filter(C::UserId.eq(user))
        .filter(C::ConfirmedAt.is_not_null())
        .filter(C::LastStep.lt(step))
        .exec(db)
        .await?;
    Ok(changed.rows_affected == 1)
}

/// Use a recovery code; `false` where there is no such one that was not used.
pub(super) async fn use_code(
    db: &impl ConnectionTrait,
    user: Uuid,
    code_hash: &str,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    use recovery::Column as C;
    let changed = recovery::Entity::update_many()
        .col_expr(C::UsedAt, Expr::value(now))
        .filter(C::UserId.eq(user))
        .filter(C::CodeHash.eq(code_hash))
        .filter(C::UsedAt.is_null())
        .exec(db)
        .await?;
    Ok(changed.rows_affected == 1)
}

/// Recovery codes in the place of those before.
pub(super) async fn replace_codes(
    db: &impl ConnectionTrait,
    user: Uuid,
    hashes: Vec<String>,
) -> Result<(), DbErr> {
    recovery::Entity::delete_many().filter(recovery::Column::UserId.eq(user)).exec(db).await?;
    let rows = hashes
        .into_iter()
        .map(|code_hash| recovery::Model { user_id: user, code_hash, used_at: None })
        .map(|row| recovery::ActiveModel::from(row).reset_all());
    recovery::Entity::insert_many(rows).exec_without_returning(db).await.map(drop)
}

pub(super) async fn codes_left(db: &impl ConnectionTrait, user: Uuid) -> Result<u64, DbErr> {
    let left = recovery::Entity::find()
        .filter(recovery::Column::UserId.eq(user))
        .filter(recovery::Column::UsedAt.is_null());
    left.count(db).await
}

/// Take a user's second factor away; whether there was one.
pub(super) async fn remove(db: &impl ConnectionTrait, user: Uuid) -> Result<bool, DbErr> {
    recovery::Entity::delete_many().filter(recovery::Column::UserId.eq(user)).exec(db).await?;
    half::Entity::delete_many().filter(half::Column::UserId.eq(user)).exec(db).await?;
    Ok(totp::Entity::delete_by_id(user).exec(db).await?.rows_affected == 1)
}

pub(super) async fn insert_half(db: &impl ConnectionTrait, row: half::Model) -> Result<(), DbErr> {
    half::Entity::insert(half::ActiveModel::from(row).reset_all()).exec(db).await.map(drop)
}

/// Count an attempt before it is looked at; whose half-session it is, or nothing where it has ended or was tried too often.
pub(super) async fn attempt(
    db: &impl ConnectionTrait,
    token_hash: &str,
    most: i32,
    now: DateTime<Utc>,
) -> Result<Option<Uuid>, DbErr> {
    use half::Column as C;
    let counted = half::Entity::update_many()
        .col_expr(C::Attempts, Expr::col(C::Attempts).add(1))
        .filter(C::TokenHash.eq(token_hash))
        .filter(C::Attempts.lt(most))
        .filter(C::ExpiresAt.gt(now))
        .exec(db)
        .await?;
    if counted.rows_affected == 0 {
        return Ok(None);
    }
    Ok(half::Entity::find_by_id(token_hash).one(db).await?.map(|row| row.user_id))
}

/// End a half-session; `false` where somebody else did.
pub(super) async fn end_half(db: &impl ConnectionTrait, token_hash: &str) -> Result<bool, DbErr> {
    Ok(half::Entity::delete_by_id(token_hash).exec(db).await?.rows_affected == 1)
}

pub(super) async fn delete_ended(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<(), DbErr> {
    half::Entity::delete_many().filter(half::Column::ExpiresAt.lte(now)).exec(db).await.map(drop)
}
