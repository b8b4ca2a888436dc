//! Queries of releases.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::{
    Channel,
    entity::{file, release},
};

pub(super) async fn insert(db: &impl ConnectionTrait, row: release::Model) -> Result<(), DbErr> {
    release::Entity::insert(release::ActiveModel::from(row).reset_all()).exec(db).await.map(drop)
}

pub(super) async fn insert_file(db: &impl ConnectionTrait, row: file::Model) -> Result<(), DbErr> {
    file::Entity::insert(file::ActiveModel::from(row).reset_all()).exec(db).await.map(drop)
}

pub(super) async fn get(
    db: &impl ConnectionTrait,
    engine: &str,
    version: &str,
) -> Result<Option<release::Model>, DbErr> {
    release::Entity::find()
        .filter(release::Column::Engine.eq(engine))
        .filter(release::Column::Version.eq(version))
        .one(db)
        .await
}

/// Releases of an engine, or of all, newest first.
pub(super) async fn releases(
    db: &impl ConnectionTrait,
    engine: Option<&str>,
) -> Result<Vec<release::Model>, DbErr> {
    let mut query = release::Entity::find().order_by_desc(release::Column::Id);
    if let Some(engine) = engine {
        query = query.filter(release::Column::Engine.eq(engine));
    }
    query.all(db).await
}

pub(super) async fn files(db: &impl ConnectionTrait, releases: &[Uuid]) -> Result<Vec<file::Model>, DbErr> {
    file::Entity::find()
        .filter(file::Column::ReleaseId.is_in(releases.iter().copied()))
        .order_by_asc(file::Column::Target)
        .all(db)
        .await
}

/// Entitlements and tiers of what is published.
pub(super) async fn entitlements(db: &impl ConnectionTrait) -> Result<Vec<(String, String)>, DbErr> {
    release::Entity::find()
        .select_only()
        .column(release::Column::Entitlement)
        .column(release::Column::Tier)
        .filter(release::Column::Entitlement.is_not_null())
        .distinct()
        .into_tuple()
        .all(db)
        .await
}

pub(super) async fn yank(
    db: &impl ConnectionTrait,
    id: Uuid,
    at: Option<DateTime<Utc>>,
    reason: Option<String>,
) -> Result<(), DbErr> {
    let row = release::ActiveModel {
        id: Set(id),
        yanked_at: Set(at),
        yank_reason: Set(reason),
        ..Default::default()
    };
    row.update(db).await.map(drop)
}

pub(super) async fn set_channel(db: &impl ConnectionTrait, id: Uuid, channel: Channel) -> Result<(), DbErr> {
    let row = release::ActiveModel { id: Set(id), channel: Set(channel.name().into()), ..Default::default() };
    row.update(db).await.map(drop)
}
