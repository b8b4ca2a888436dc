//! Queries of blocks and of newest figures.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    sea_query::{Expr, ExprTrait, OnConflict, Order, Query},
};
use uuid::Uuid;

use super::{
    entity::{ActiveModel, Column as C, Entity, Model},
    model::TopMachine,
    tier::Tier,
};

/// Rows that one statement removes.
const SWEEP: u64 = 2000;

/// Whether the machine is there and meets the condition.
pub(super) async fn is_visible(
    db: &impl ConnectionTrait,
    machine: Uuid,
    condition: Condition,
) -> Result<bool, DbErr> {
    let query = Query::select()
        .column(("machines", "id"))
        .from("machines")
        .and_where(Expr::col(("machines", "id")).eq(machine))
        .cond_where(condition)
        .to_owned();
    Ok(db.query_one(&query).await?.is_some())
}

pub(super) async fn block(
    db: &impl ConnectionTrait,
    machine: Uuid,
    tier: Tier,
    start_s: i64,
) -> Result<Option<Vec<u8>>, DbErr> {
    let row = Entity::find_by_id((machine, tier.number(), start_s)).one(db).await?;
    Ok(row.map(|row| row.data))
}

pub(super) async fn blocks(
    db: &impl ConnectionTrait,
    machine: Uuid,
    tier: Tier,
    from_s: i64,
    to_s: i64,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(C::MachineId.eq(machine))
        .filter(C::Tier.eq(tier.number()))
        .filter(C::StartS.gt(from_s - tier.block_s()))
        .filter(C::StartS.lte(to_s))
        .order_by_asc(C::StartS)
        .all(db)
        .await
}

pub(super) async fn put_block(
    db: &impl ConnectionTrait,
    machine: Uuid,
    tier: Tier,
    start_s: i64,
    data: Vec<u8>,
) -> Result<(), DbErr> {
    let row = ActiveModel {
        machine_id: Set(machine),
        tier: Set(tier.number()),
        start_s: Set(start_s),
        data: Set(data),
    };
    let again = OnConflict::columns([C::MachineId, C::Tier, C::StartS]).update_column(C::Data).to_owned();
    Entity::insert(row).on_conflict(again).exec_without_returning(db).await.map(drop)
}

/// Remove a share of the blocks of `tier` that begin before `before_s`; how many.
pub(super) async fn forget(db: &impl ConnectionTrait, tier: Tier, before_s: i64) -> Result<u64, DbErr> {
    let old = Query::select()
        .columns(["machine_id", "tier", "start_s"])
        .from("metric_blocks")
        .and_where(Expr::col("tier").eq(tier.number()))
        .and_where(Expr::col("start_s").lt(before_s))
        .limit(SWEEP)
        .to_owned();
    let rows = db.query_all(&old).await?;
    let mut removed = 0;
    for row in rows {
        let machine: Uuid = row.try_get("", "machine_id")?;
        let start_s: i64 = row.try_get("", "start_s")?;
        removed += Entity::delete_by_id((machine, tier.number(), start_s)).exec(db).await?.rows_affected;
    }
    Ok(removed)
}

/// Keep the newest figures of a machine, unless newer ones are there.
pub(super) async fn put_newest(
    db: &impl ConnectionTrait,
    machine: Uuid,
    at: DateTime<Utc>,
    figures: &[(&'static str, f64)],
) -> Result<(), DbErr> {
    let mut columns = vec!["machine_id", "at"];
    columns.extend(figures.iter().map(|(column, _)| *column));
    let mut values: Vec<Expr> = vec![Expr::value(machine), Expr::value(at)];
    values.extend(figures.iter().map(|(_, value)| Expr::value(*value)));
    let newer = OnConflict::column("machine_id")
        .update_columns(columns.iter().skip(1).copied())
        .action_and_where(Expr::col(("machine_metrics", "at")).lte(at))
        .to_owned();
    let insert = Query::insert()
        .into_table("machine_metrics")
        .columns(columns)
        .values_panic(values)
        .on_conflict(newer)
        .to_owned();
    db.execute(&insert).await.map(drop)
}

/// Machines with the greatest or least newest value of a column.
pub(super) async fn top(
    db: &impl ConnectionTrait,
    column: &'static str,
    condition: Condition,
    order: Order,
    limit: u64,
) -> Result<Vec<TopMachine>, DbErr> {
    let query = Query::select()
        .column(("machines", "id"))
        .column(("machines", "name"))
        .column(("machine_metrics", "at"))
        .expr_as(Expr::col(("machine_metrics", column)), "value")
        .from("machine_metrics")
        .inner_join("machines", Expr::col(("machines", "id")).equals(("machine_metrics", "machine_id")))
        .and_where(Expr::col(("machine_metrics", column)).is_not_null())
        .cond_where(condition)
        .order_by(("machine_metrics", column), order)
        .limit(limit)
        .to_owned();
    let rows = db.query_all(&query).await?;
    rows.iter()
        .map(|row| {
            Ok(TopMachine {
                id: row.try_get("", "id")?,
                name: row.try_get("", "name")?,
                value: row.try_get("", "value")?,
                at: row.try_get("", "at")?,
            })
        })
        .collect()
}
