//! Queries of advisories and floors.

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    sea_query::OnConflict,
};

use super::entity::{advisory, floor};

pub(super) async fn get(db: &impl ConnectionTrait, id: &str) -> Result<Option<advisory::Model>, DbErr> {
    advisory::Entity::find_by_id(id).one(db).await
}

/// Advisories, the newest first.
pub(super) async fn list(
    db: &impl ConnectionTrait,
    engine: Option<&str>,
    withdrawn_too: bool,
) -> Result<Vec<advisory::Model>, DbErr> {
    use advisory::Column as C;
    let mut query = advisory::Entity::find().order_by_desc(C::PublishedAt).order_by_desc(C::Id);
    if let Some(engine) = engine {
        query = query.filter(C::Engine.eq(engine));
    }
    if !withdrawn_too {
        query = query.filter(C::WithdrawnAt.is_null());
    }
    query.all(db).await
}

/// The highest id that begins with `prefix`.
pub(super) async fn last_id(db: &impl ConnectionTrait, prefix: &str) -> Result<Option<String>, DbErr> {
    let query = advisory::Entity::find().filter(advisory::Column::Id.starts_with(prefix));
    Ok(query.order_by_desc(advisory::Column::Id).one(db).await?.map(|row| row.id))
}

pub(super) async fn insert(db: &impl ConnectionTrait, row: advisory::Model) -> Result<(), DbErr> {
    advisory::Entity::insert(advisory::ActiveModel::from(row).reset_all()).exec(db).await.map(drop)
}

pub(super) async fn update(db: &impl ConnectionTrait, row: advisory::Model) -> Result<(), DbErr> {
    advisory::ActiveModel::from(row).reset_all().update(db).await.map(drop)
}

/// Floors, by engine.
pub(super) async fn floors(db: &impl ConnectionTrait) -> Result<Vec<floor::Model>, DbErr> {
    floor::Entity::find().order_by_asc(floor::Column::Engine).all(db).await
}

pub(super) async fn set_floor(db: &impl ConnectionTrait, row: floor::Model) -> Result<(), DbErr> {
    use floor::Column as C;
    let newer = OnConflict::column(C::Engine).update_columns([C::Version, C::SetAt]).to_owned();
    let row = floor::ActiveModel::from(row).reset_all();
    floor::Entity::insert(row).on_conflict(newer).exec_without_returning(db).await.map(drop)
}

/// Whether there was one.
pub(super) async fn remove_floor(db: &impl ConnectionTrait, engine: &str) -> Result<bool, DbErr> {
    Ok(floor::Entity::delete_by_id(engine).exec(db).await?.rows_affected == 1)
}
