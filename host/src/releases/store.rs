//! Queries of this slice.

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::entity::{release, rollout};
use crate::http::Page;

/// Releases are few; more than this are not listed.
const MOST: u64 = 1000;

pub(super) async fn releases(db: &impl ConnectionTrait) -> Result<Vec<release::Model>, DbErr> {
    release::Entity::find()
        .order_by_desc(release::Column::AddedAt)
        .order_by_asc(release::Column::Target)
        .limit(MOST)
        .all(db)
        .await
}

pub(super) async fn of_version(
    db: &impl ConnectionTrait,
    version: &str,
) -> Result<Vec<release::Model>, DbErr> {
    release::Entity::find().filter(release::Column::Version.eq(version)).limit(MOST).all(db).await
}

pub(super) async fn release(
    db: &impl ConnectionTrait,
    version: &str,
    target: &str,
) -> Result<Option<release::Model>, DbErr> {
    release::Entity::find_by_id((version.to_owned(), target.to_owned())).one(db).await
}

pub(super) async fn insert(db: &impl ConnectionTrait, row: release::Model) -> Result<(), DbErr> {
    release::Entity::insert(row.into_active_model()).exec_without_returning(db).await.map(drop)
}

pub(super) async fn delete(db: &impl ConnectionTrait, version: &str, target: &str) -> Result<(), DbErr> {
    let id = (version.to_owned(), target.to_owned());
    release::Entity::delete_by_id(id).exec(db).await.map(drop)
}

pub(super) async fn rollouts(
    db: &impl ConnectionTrait,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Page<rollout::Model>, DbErr> {
    let mut query = rollout::Entity::find();
    if let Some(after) = after {
        query = query.filter(rollout::Column::Id.lt(after));
    }
    let rows = query.order_by_desc(rollout::Column::Id).limit(limit + 1).all(db).await?;
    Ok(Page::cut(rows, limit, |row| row.id.to_string()))
}

pub(super) async fn in_state(db: &impl ConnectionTrait, state: &str) -> Result<Vec<rollout::Model>, DbErr> {
    rollout::Entity::find()
        .filter(rollout::Column::State.eq(state))
        .order_by_asc(rollout::Column::Id)
        .limit(MOST)
        .all(db)
        .await
}

pub(super) async fn rollout(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<rollout::Model>, DbErr> {
    rollout::Entity::find_by_id(id).one(db).await
}

pub(super) async fn insert_rollout(db: &impl ConnectionTrait, row: rollout::Model) -> Result<(), DbErr> {
    rollout::Entity::insert(row.into_active_model()).exec_without_returning(db).await.map(drop)
}

pub(super) async fn update_rollout(db: &impl ConnectionTrait, row: rollout::Model) -> Result<(), DbErr> {
    row.into_active_model().reset_all().update(db).await.map(drop)
}
