//! Queries of this slice.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use plugin_api::Capability;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, sea_query::OnConflict,
};

use super::entity::{engine, grant, version};

pub(super) async fn engines(db: &impl ConnectionTrait) -> Result<Vec<engine::Model>, DbErr> {
    engine::Entity::find().order_by_asc(engine::Column::Id).all(db).await
}

pub(super) async fn engine(db: &impl ConnectionTrait, id: &str) -> Result<Option<engine::Model>, DbErr> {
    engine::Entity::find_by_id(id).one(db).await
}

pub(super) async fn insert_engine(db: &impl ConnectionTrait, row: engine::Model) -> Result<(), DbErr> {
    engine::Entity::insert(row.into_active_model()).exec_without_returning(db).await.map(drop)
}

/// Replace every column of a row that exists.
pub(super) async fn update_engine(db: &impl ConnectionTrait, row: engine::Model) -> Result<(), DbErr> {
    row.into_active_model().reset_all().update(db).await.map(drop)
}

pub(super) async fn versions(db: &impl ConnectionTrait, engine: &str) -> Result<Vec<version::Model>, DbErr> {
    version::Entity::find().filter(version::Column::Engine.eq(engine)).all(db).await
}

/// Versions that were tried and did not stay.
pub(super) async fn bad_versions(db: &impl ConnectionTrait) -> Result<Vec<version::Model>, DbErr> {
    version::Entity::find().filter(version::Column::Bad.is_not_null()).all(db).await
}

pub(super) async fn version(
    db: &impl ConnectionTrait,
    engine: &str,
    version: &str,
) -> Result<Option<version::Model>, DbErr> {
    version::Entity::find_by_id((engine.to_owned(), version.to_owned())).one(db).await
}

pub(super) async fn insert_version(db: &impl ConnectionTrait, row: version::Model) -> Result<(), DbErr> {
    use version::Column as C;
    let replace = OnConflict::columns([C::Engine, C::Version])
        .update_columns([C::Sha256, C::Size, C::Publisher, C::Realm, C::Bad, C::AdmittedAt])
        .to_owned();
    version::Entity::insert(row.into_active_model())
        .on_conflict(replace)
        .exec_without_returning(db)
        .await
        .map(drop)
}

pub(super) async fn mark_version(
    db: &impl ConnectionTrait,
    engine: &str,
    name: &str,
    bad: Option<String>,
) -> Result<(), DbErr> {
    let Some(row) = version(db, engine, name).await? else { return Ok(()) };
    let mut row = row.into_active_model();
    row.bad = Set(bad);
    row.update(db).await.map(drop)
}

pub(super) async fn delete_versions(db: &impl ConnectionTrait, engine: &str) -> Result<(), DbErr> {
    version::Entity::delete_many().filter(version::Column::Engine.eq(engine)).exec(db).await.map(drop)
}

/// Decisions by capability name.
pub(super) async fn grants(
    db: &impl ConnectionTrait,
    engine: &str,
) -> Result<BTreeMap<String, grant::Model>, DbErr> {
    let rows = grant::Entity::find().filter(grant::Column::Engine.eq(engine)).all(db).await?;
    Ok(rows.into_iter().map(|r| (r.capability.clone(), r)).collect())
}

pub(super) async fn set_grant(
    db: &impl ConnectionTrait,
    engine: &str,
    capability: Capability,
    granted: bool,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    use grant::Column as C;
    let row = grant::ActiveModel {
        engine: Set(engine.into()),
        capability: Set(capability.name().into()),
        granted: Set(granted),
        decided_by: Set(by.into()),
        decided_at: Set(now),
    };
    let replace = OnConflict::columns([C::Engine, C::Capability])
        .update_columns([C::Granted, C::DecidedBy, C::DecidedAt])
        .to_owned();
    grant::Entity::insert(row).on_conflict(replace).exec_without_returning(db).await.map(drop)
}

pub(super) async fn delete_grants(db: &impl ConnectionTrait, engine: &str) -> Result<(), DbErr> {
    grant::Entity::delete_many().filter(grant::Column::Engine.eq(engine)).exec(db).await.map(drop)
}
