//! Queries of tags.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, OnConflict, Query},
};
use uuid::Uuid;

use super::entity::{label, machine, tag};

/// Rows and ids in one statement.
const CHUNK: usize = 400;

pub(super) async fn labels(db: &impl ConnectionTrait) -> Result<Vec<label::Model>, DbErr> {
    label::Entity::find().order_by_asc(label::Column::Name).all(db).await
}

pub(super) async fn label(db: &impl ConnectionTrait, name: &str) -> Result<Option<label::Model>, DbErr> {
    label::Entity::find_by_id(name).one(db).await
}

/// Rules by the names of their tags.
pub(super) async fn automatic(db: &impl ConnectionTrait) -> Result<BTreeMap<String, String>, DbErr> {
    let labels = label::Entity::find().filter(label::Column::Selector.is_not_null()).all(db).await?;
    Ok(labels.into_iter().filter_map(|l| Some((l.name, l.selector?))).collect())
}

pub(super) async fn save_label(db: &impl ConnectionTrait, row: label::Model) -> Result<(), DbErr> {
    use label::Column as C;
    let again = OnConflict::column(C::Name)
        .update_columns([C::Colour, C::Description, C::Selector, C::UpdatedAt])
        .to_owned();
    let row = label::ActiveModel {
        name: Set(row.name),
        colour: Set(row.colour),
        description: Set(row.description),
        selector: Set(row.selector),
        created_at: Set(row.created_at),
        updated_at: Set(row.updated_at),
    };
    label::Entity::insert(row).on_conflict(again).exec_without_returning(db).await.map(drop)
}

/// How many machines for which `condition` holds have each tag.
pub(super) async fn counts(
    db: &impl ConnectionTrait,
    condition: Condition,
) -> Result<HashMap<String, u64>, DbErr> {
    let query = Query::select()
        .column(("machine_tags", "tag"))
        .expr_as(Expr::col(("machines", "id")).count(), "n")
        .from("machine_tags")
        .inner_join("machines", Expr::col(("machine_tags", "machine_id")).equals(("machines", "id")))
        .cond_where(condition)
        .group_by_col(("machine_tags", "tag"))
        .to_owned();
    let rows = db.query_all(&query).await?;
    rows.iter()
        .map(|row| Ok((row.try_get("", "tag")?, row.try_get::<i64>("", "n")?.try_into().unwrap_or(0))))
        .collect()
}

pub(super) async fn exists(db: &impl ConnectionTrait, name: &str) -> Result<bool, DbErr> {
    let used = tag::Entity::find().filter(tag::Column::Tag.eq(name)).one(db).await?;
    Ok(used.is_some() || label(db, name).await?.is_some())
}

pub(super) async fn rename(db: &impl ConnectionTrait, name: &str, to: &str) -> Result<(), DbErr> {
    tag::Entity::update_many()
        .col_expr(tag::Column::Tag, Expr::value(to))
        .filter(tag::Column::Tag.eq(name))
        .exec(db)
        .await?;
    label::Entity::update_many()
        .col_expr(label::Column::Name, Expr::value(to))
        .filter(label::Column::Name.eq(name))
        .exec(db)
        .await
        .map(drop)
}

/// Returns how many machines had it.
pub(super) async fn delete(db: &impl ConnectionTrait, name: &str) -> Result<u64, DbErr> {
    label::Entity::delete_by_id(name).exec(db).await?;
    Ok(tag::Entity::delete_many().filter(tag::Column::Tag.eq(name)).exec(db).await?.rows_affected)
}

pub(super) async fn selected(
    db: &impl ConnectionTrait,
    condition: Condition,
    most: u64,
) -> Result<Vec<Uuid>, DbErr> {
    machine::Entity::find()
        .select_only()
        .column(machine::Column::Id)
        .filter(condition)
        .order_by_asc(machine::Column::Id)
        .limit(most)
        .into_tuple()
        .all(db)
        .await
}

pub(super) async fn machines_with(db: &impl ConnectionTrait, tag: &str) -> Result<HashSet<Uuid>, DbErr> {
    let ids: Vec<Uuid> = tag::Entity::find()
        .select_only()
        .column(tag::Column::MachineId)
        .filter(tag::Column::Tag.eq(tag))
        .into_tuple()
        .all(db)
        .await?;
    Ok(ids.into_iter().collect())
}

/// Put a tag on machines, or take it off.
pub(super) async fn set(
    db: &impl ConnectionTrait,
    tag: &str,
    machines: &[Uuid],
    adds: bool,
) -> Result<(), DbErr> {
    for ids in machines.chunks(CHUNK) {
        if adds {
            let again =
                OnConflict::columns([tag::Column::MachineId, tag::Column::Tag]).do_nothing().to_owned();
            let rows = ids.iter().map(|id| super::tags::row(*id, tag));
            tag::Entity::insert_many(rows).on_conflict(again).exec_without_returning(db).await?;
        } else {
            tag::Entity::delete_many()
                .filter(tag::Column::Tag.eq(tag))
                .filter(tag::Column::MachineId.is_in(ids.iter().copied()))
                .exec(db)
                .await?;
        }
    }
    Ok(())
}

/// Scopes of roles that have one.
pub(super) async fn role_scopes(db: &impl ConnectionTrait) -> Result<BTreeSet<String>, DbErr> {
    let query = Query::select().column("scope").from("roles").and_where(Expr::col("scope").ne("")).to_owned();
    db.query_all(&query).await?.iter().map(|row| row.try_get("", "scope")).collect()
}
