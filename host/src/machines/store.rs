//! Queries of machines and tags.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

use super::{
    entity::{engine, machine, tag},
    live::Unwritten,
    model::MachineState,
};

/// Ids in one statement: below every database's limit of parameters.
const CHUNK: usize = 400;

pub(super) async fn get(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<machine::Model>, DbErr> {
    machine::Entity::find_by_id(id).one(db).await
}

pub(super) async fn get_within(
    db: &impl ConnectionTrait,
    id: Uuid,
    scope: Condition,
) -> Result<Option<machine::Model>, DbErr> {
    machine::Entity::find_by_id(id).filter(scope).one(db).await
}

pub(super) async fn by_key(
    db: &impl ConnectionTrait,
    fingerprint: &str,
) -> Result<Option<machine::Model>, DbErr> {
    machine::Entity::find().filter(machine::Column::KeyFingerprint.eq(fingerprint)).one(db).await
}

pub(super) async fn by_handle(
    db: &impl ConnectionTrait,
    hash: &str,
) -> Result<Option<machine::Model>, DbErr> {
    machine::Entity::find().filter(machine::Column::PollHandleHash.eq(hash)).one(db).await
}

pub(super) async fn count_approved(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    machine::Entity::find().filter(machine::Column::State.eq(MachineState::Approved.name())).count(db).await
}

pub(super) async fn count(db: &impl ConnectionTrait, condition: Condition) -> Result<u64, DbErr> {
    machine::Entity::find().filter(condition).count(db).await
}

pub(super) async fn names(
    db: &impl ConnectionTrait,
    machines: &[Uuid],
) -> Result<HashMap<Uuid, String>, DbErr> {
    let mut names = HashMap::new();
    for ids in machines.chunks(CHUNK) {
        let rows: Vec<(Uuid, String)> = machine::Entity::find()
            .select_only()
            .columns([machine::Column::Id, machine::Column::Name])
            .filter(machine::Column::Id.is_in(ids.iter().copied()))
            .into_tuple()
            .all(db)
            .await?;
        names.extend(rows);
    }
    Ok(names)
}

pub(super) async fn tags(
    db: &impl ConnectionTrait,
    machines: &[Uuid],
) -> Result<HashMap<Uuid, Vec<String>>, DbErr> {
    let mut tags: HashMap<Uuid, Vec<String>> = HashMap::new();
    for ids in machines.chunks(CHUNK) {
        let rows = tag::Entity::find()
            .filter(tag::Column::MachineId.is_in(ids.iter().copied()))
            .order_by_asc(tag::Column::Tag)
            .all(db)
            .await?;
        for row in rows {
            tags.entry(row.machine_id).or_default().push(row.tag);
        }
    }
    Ok(tags)
}

pub(super) async fn tags_of(db: &impl ConnectionTrait, machine: Uuid) -> Result<Vec<String>, DbErr> {
    Ok(tags(db, &[machine]).await?.remove(&machine).unwrap_or_default())
}

pub(super) async fn set_tags(db: &impl ConnectionTrait, machine: Uuid, tags: &[String]) -> Result<(), DbErr> {
    tag::Entity::delete_many().filter(tag::Column::MachineId.eq(machine)).exec(db).await?;
    if tags.is_empty() {
        return Ok(());
    }
    let rows = tags.iter().map(|t| tag::ActiveModel { machine_id: Set(machine), tag: Set(t.clone()) });
    tag::Entity::insert_many(rows).exec_without_returning(db).await.map(drop)
}

pub(super) async fn update(
    db: &impl ConnectionTrait,
    id: Uuid,
    row: machine::ActiveModel,
) -> Result<(), DbErr> {
    machine::Entity::update_many().set(row).filter(machine::Column::Id.eq(id)).exec(db).await.map(drop)
}

pub(super) async fn delete(db: &impl ConnectionTrait, id: Uuid) -> Result<(), DbErr> {
    machine::Entity::delete_by_id(id).exec(db).await.map(drop)
}

/// Everybody is offline: what is true when the host starts.
pub(super) async fn all_offline(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    machine::Entity::update_many()
        .col_expr(machine::Column::Online, Expr::value(false))
        .filter(machine::Column::Online.eq(true))
        .exec(db)
        .await
        .map(drop)
}

/// Write what is known of connected machines: few statements, whatever their number.
pub(super) async fn write_presence(db: &impl ConnectionTrait, unwritten: &Unwritten) -> Result<(), DbErr> {
    use machine::Column as C;
    // Signs of life within one second are written as one instant.
    let mut by_second: HashMap<DateTime<Utc>, Vec<Uuid>> = HashMap::new();
    for (id, at) in &unwritten.seen {
        let second = DateTime::from_timestamp(at.timestamp(), 0).unwrap_or(*at);
        by_second.entry(second).or_default().push(*id);
    }
    for (second, ids) in by_second {
        for ids in ids.chunks(CHUNK) {
            machine::Entity::update_many()
                .col_expr(C::LastSeenAt, Expr::value(second))
                .filter(C::Id.is_in(ids.iter().copied()))
                .exec(db)
                .await?;
        }
    }
    for (online, ids) in [(true, &unwritten.came), (false, &unwritten.went)] {
        let ids: Vec<Uuid> = ids.iter().copied().collect();
        for ids in ids.chunks(CHUNK) {
            machine::Entity::update_many()
                .col_expr(C::Online, Expr::value(online))
                .filter(C::Id.is_in(ids.iter().copied()))
                .exec(db)
                .await?;
        }
    }
    Ok(())
}

pub(super) async fn engines(db: &impl ConnectionTrait, machine: Uuid) -> Result<Vec<engine::Model>, DbErr> {
    engine::Entity::find()
        .filter(engine::Column::MachineId.eq(machine))
        .order_by_asc(engine::Column::EngineId)
        .all(db)
        .await
}

/// Replace what is known of the machine's engines.
pub(super) async fn set_engines(
    db: &impl ConnectionTrait,
    machine: Uuid,
    rows: Vec<engine::ActiveModel>,
) -> Result<(), DbErr> {
    engine::Entity::delete_many().filter(engine::Column::MachineId.eq(machine)).exec(db).await?;
    if rows.is_empty() {
        return Ok(());
    }
    let again =
        OnConflict::columns([engine::Column::MachineId, engine::Column::EngineId]).do_nothing().to_owned();
    engine::Entity::insert_many(rows).on_conflict(again).exec_without_returning(db).await.map(drop)
}
