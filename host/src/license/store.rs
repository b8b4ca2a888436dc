//! Queries on `license_state`.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait, sea_query::OnConflict};
use serde::{Serialize, de::DeserializeOwned};

use super::entity;

/// Licence tokens, a list.
pub(super) const TOKENS: &str = "tokens";
/// Revocation lists in force, one text.
pub(super) const REVOCATIONS: &str = "revocations";
/// Third-party roots, a list.
pub(super) const ROOTS: &str = "roots";
/// When the portal last answered.
pub(super) const CONTACT: &str = "last_contact";
/// [`licenses::ClockFloor`].
pub(super) const FLOOR: &str = "clock_floor";

/// A part of the state; its default when it is absent.
pub(super) async fn get<T: DeserializeOwned + Default>(
    db: &impl ConnectionTrait,
    key: &str,
) -> Result<T, DbErr> {
    let row = entity::Entity::find_by_id(key).one(db).await?;
    match row {
        Some(row) => serde_json::from_value(row.value).map_err(|e| DbErr::Json(e.to_string())),
        None => Ok(T::default()),
    }
}

/// Replace a part of the state.
pub(super) async fn put(
    db: &impl ConnectionTrait,
    key: &str,
    value: &impl Serialize,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let value = serde_json::to_value(value).map_err(|e| DbErr::Json(e.to_string()))?;
    let row = entity::ActiveModel { key: Set(key.into()), value: Set(value), updated_at: Set(now) };
    let replace = OnConflict::column(entity::Column::Key)
        .update_columns([entity::Column::Value, entity::Column::UpdatedAt])
        .to_owned();
    entity::Entity::insert(row).on_conflict(replace).exec_without_returning(db).await.map(drop)
}
