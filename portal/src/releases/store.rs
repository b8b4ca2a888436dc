//! Queries of releases.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait as _, OnConflict},
};
use uuid::Uuid;

use super::{
    Channel,
    entity::{count, file, release, screenshot},
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

pub(super) async fn set_conformance(
    db: &impl ConnectionTrait,
    id: Uuid,
    report: serde_json::Value,
) -> Result<(), DbErr> {
    let row = release::ActiveModel { id: Set(id), conformance: Set(Some(report)), ..Default::default() };
    row.update(db).await.map(drop)
}

pub(super) async fn set_channel(db: &impl ConnectionTrait, id: Uuid, channel: Channel) -> Result<(), DbErr> {
    let row = release::ActiveModel { id: Set(id), channel: Set(channel.name().into()), ..Default::default() };
    row.update(db).await.map(drop)
}

/// Pictures of an engine, or of all, in the order in which they were added.
pub(super) async fn screenshots(
    db: &impl ConnectionTrait,
    engine: Option<&str>,
) -> Result<Vec<screenshot::Model>, DbErr> {
    use screenshot::Column as C;
    let mut query = screenshot::Entity::find().order_by_asc(C::AddedAt).order_by_asc(C::Sha256);
    if let Some(engine) = engine {
        query = query.filter(C::Engine.eq(engine));
    }
    query.all(db).await
}

pub(super) async fn screenshot_of_digest(
    db: &impl ConnectionTrait,
    sha256: &str,
) -> Result<Option<screenshot::Model>, DbErr> {
    screenshot::Entity::find().filter(screenshot::Column::Sha256.eq(sha256)).one(db).await
}

pub(super) async fn put_screenshot(db: &impl ConnectionTrait, row: screenshot::Model) -> Result<(), DbErr> {
    use screenshot::Column as C;
    let newer = OnConflict::columns([C::Engine, C::Sha256]).update_column(C::Caption).to_owned();
    let row = screenshot::ActiveModel::from(row).reset_all();
    screenshot::Entity::insert(row).on_conflict(newer).exec_without_returning(db).await.map(drop)
}

/// Whether there was one.
pub(super) async fn remove_screenshot(
    db: &impl ConnectionTrait,
    engine: &str,
    sha256: &str,
) -> Result<bool, DbErr> {
    let key = (engine.to_owned(), sha256.to_owned());
    Ok(screenshot::Entity::delete_by_id(key).exec(db).await?.rows_affected == 1)
}

/// One more download, counted by the database.
pub(super) async fn add_count(db: &impl ConnectionTrait, row: count::Model) -> Result<(), DbErr> {
    use count::Column as C;
    let more = OnConflict::columns([C::Day, C::Engine, C::Version, C::Target])
        .value(C::Count, Expr::col((count::Entity, C::Count)).add(1))
        .to_owned();
    let row = count::ActiveModel::from(row).reset_all();
    count::Entity::insert(row).on_conflict(more).exec_without_returning(db).await.map(drop)
}

/// Downloads since a day, the last day first.
pub(super) async fn counts(db: &impl ConnectionTrait, since: NaiveDate) -> Result<Vec<count::Model>, DbErr> {
    use count::Column as C;
    let query = count::Entity::find().filter(C::Day.gte(since)).order_by_desc(C::Day);
    query.order_by_asc(C::Engine).order_by_desc(C::Version).order_by_asc(C::Target).all(db).await
}
