//! Queries of this slice.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, sea_query::OnConflict,
};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::entity::{download, state};

/// [`super::MarketplacePolicy`].
pub(super) const POLICY: &str = "policy";
/// The catalogue seen last.
pub(super) const SEEN: &str = "seen";
/// [`super::model::ContactStatus`].
pub(super) const CONTACT: &str = "contact";
/// The most machines since the last receipt.
pub(super) const COUNTED: &str = "counted";
/// What people were told of.
pub(super) const TOLD: &str = "told";

/// Downloads kept.
pub(super) const KEPT: u64 = 100;

/// A part of the state; `None` when it is absent, or of a form that is not known any more.
pub(super) async fn get<T: DeserializeOwned>(
    db: &impl ConnectionTrait,
    key: &str,
) -> Result<Option<T>, DbErr> {
    let row = state::Entity::find_by_id(key).one(db).await?;
    Ok(row.and_then(|row| {
        serde_json::from_value(row.value)
            .inspect_err(|error| tracing::warn!(key, %error, "a part of the marketplace's state is not read"))
            .ok()
    }))
}

/// Replace a part of the state.
pub(super) async fn put(
    db: &impl ConnectionTrait,
    key: &str,
    value: &impl Serialize,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let value = serde_json::to_value(value).map_err(|e| DbErr::Json(e.to_string()))?;
    let row = state::ActiveModel { key: Set(key.into()), value: Set(value), updated_at: Set(now) };
    let replace = OnConflict::column(state::Column::Key)
        .update_columns([state::Column::Value, state::Column::UpdatedAt])
        .to_owned();
    state::Entity::insert(row).on_conflict(replace).exec_without_returning(db).await.map(drop)
}

/// Downloads, newest first.
pub(super) async fn downloads(db: &impl ConnectionTrait) -> Result<Vec<download::Model>, DbErr> {
    download::Entity::find().order_by_desc(download::Column::Id).limit(KEPT).all(db).await
}

pub(super) async fn insert_download(db: &impl ConnectionTrait, row: download::Model) -> Result<(), DbErr> {
    download::Entity::insert(row.into_active_model()).exec_without_returning(db).await.map(drop)
}

pub(super) async fn update_download(db: &impl ConnectionTrait, row: download::Model) -> Result<(), DbErr> {
    row.into_active_model().reset_all().update(db).await.map(drop)
}

/// Forget all but the newest ones.
pub(super) async fn trim_downloads(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let beyond: Option<Uuid> = download::Entity::find()
        .select_only()
        .column(download::Column::Id)
        .order_by_desc(download::Column::Id)
        .offset(KEPT - 1)
        .limit(1)
        .into_tuple()
        .one(db)
        .await?;
    let Some(oldest) = beyond else { return Ok(()) };
    download::Entity::delete_many().filter(download::Column::Id.lt(oldest)).exec(db).await.map(drop)
}

/// Note how far a download is, unless it has ended.
pub(super) async fn advance_download(db: &impl ConnectionTrait, id: Uuid, to: &str) -> Result<(), DbErr> {
    download::Entity::update_many()
        .col_expr(download::Column::State, to.into())
        .filter(download::Column::Id.eq(id))
        .filter(download::Column::State.is_not_in(["done", "failed"]))
        .exec(db)
        .await
        .map(drop)
}
