//! Queries of distribution.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait,
    QueryFilter, QueryOrder, QuerySelect, sea_query::OnConflict,
};

use super::entity::{document, metadata};

/// Role of roots; the others are named as in TUF.
pub(super) const ROOT: &str = "root";

/// One edition at a time: SQLite has one writer anyway, PostgreSQL is told.
pub(super) async fn lock(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    if matches!(tx.get_database_backend(), DbBackend::Postgres) {
        tx.execute_unprepared("LOCK TABLE tuf_metadata IN SHARE ROW EXCLUSIVE MODE").await?;
    }
    Ok(())
}

pub(super) async fn get(db: &impl ConnectionTrait, name: &str) -> Result<Option<metadata::Model>, DbErr> {
    metadata::Entity::find_by_id(name.to_owned()).one(db).await
}

/// The newest file of a role.
pub(super) async fn newest(db: &impl ConnectionTrait, role: &str) -> Result<Option<metadata::Model>, DbErr> {
    metadata::Entity::find()
        .filter(metadata::Column::Role.eq(role))
        .order_by_desc(metadata::Column::Version)
        .one(db)
        .await
}

/// Every role that there is a file of.
pub(super) async fn roles(db: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    metadata::Entity::find()
        .select_only()
        .column(metadata::Column::Role)
        .distinct()
        .into_tuple()
        .all(db)
        .await
}

/// Every root, the first one first.
pub(super) async fn roots(db: &impl ConnectionTrait) -> Result<Vec<metadata::Model>, DbErr> {
    metadata::Entity::find()
        .filter(metadata::Column::Role.eq(ROOT))
        .order_by_asc(metadata::Column::Version)
        .all(db)
        .await
}

/// Write a file. Only the timestamp is ever written over.
pub(super) async fn put(db: &impl ConnectionTrait, row: metadata::Model) -> Result<(), DbErr> {
    let over = row.name == "timestamp.json";
    let row = metadata::ActiveModel::from(row).reset_all();
    if !over {
        return row.insert(db).await.map(drop);
    }
    let conflict = OnConflict::column(metadata::Column::Name)
        .update_columns([metadata::Column::Version, metadata::Column::Content, metadata::Column::WrittenAt])
        .to_owned();
    metadata::Entity::insert(row).on_conflict(conflict).exec(db).await.map(drop)
}

pub(super) async fn put_document(db: &impl ConnectionTrait, row: document::Model) -> Result<(), DbErr> {
    if document::Entity::find_by_id(row.sha256.clone()).one(db).await?.is_some() {
        return Ok(());
    }
    document::ActiveModel::from(row).reset_all().insert(db).await.map(drop)
}

pub(super) async fn document(
    db: &impl ConnectionTrait,
    sha256: &str,
    name: &str,
) -> Result<Option<document::Model>, DbErr> {
    let found = document::Entity::find_by_id(sha256.to_owned()).one(db).await?;
    Ok(found.filter(|document| document.name == name))
}

/// Forget what was replaced before `until`: no refresh takes so long. Roots stay, and so does the newest file of a role.
pub(super) async fn sweep(
    db: &impl ConnectionTrait,
    kept: &[(String, i64)],
    until: DateTime<Utc>,
) -> Result<(), DbErr> {
    for (role, version) in kept.iter().filter(|(role, _)| role != ROOT) {
        metadata::Entity::delete_many()
            .filter(metadata::Column::Role.eq(role))
            .filter(metadata::Column::Version.lt(*version))
            .filter(metadata::Column::WrittenAt.lt(until))
            .exec(db)
            .await?;
    }
    Ok(())
}
