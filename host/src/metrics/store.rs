//! Queries of blocks and of newest figures.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    sea_query::{Expr, ExprTrait, OnConflict, Order, Query, SelectStatement},
};
use uuid::Uuid;

use super::{
    entity::{ActiveModel, Column as C, Entity, Model},
    model::{Summary, TopMachine},
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

/// Newest values of a column, of machines that `condition` selects.
fn newest(column: &'static str, condition: Condition) -> SelectStatement {
    Query::select()
        .from("machine_metrics")
        .inner_join("machines", Expr::col(("machines", "id")).equals(("machine_metrics", "machine_id")))
        .and_where(Expr::col(("machine_metrics", column)).is_not_null())
        .cond_where(condition)
        .to_owned()
}

/// Count, mean, least, median, 95th of a hundred and greatest of the newest values of a column.
pub(super) async fn summary(
    db: &impl ConnectionTrait,
    column: &'static str,
    condition: Condition,
) -> Result<Option<Summary>, DbErr> {
    let value = || Expr::col(("machine_metrics", column));
    let whole = newest(column, condition.clone())
        .expr_as(value().count(), "count")
        .expr_as(value().avg(), "mean")
        .expr_as(value().min(), "min")
        .expr_as(value().max(), "max")
        .to_owned();
    let Some(row) = db.query_one(&whole).await? else { return Ok(None) };
    let machines: i64 = row.try_get("", "count")?;
    if machines == 0 {
        return Ok(None);
    }
    let nth = async |part: f64| {
        let at = ((machines - 1) as f64 * part).round() as u64;
        let query = newest(column, condition.clone())
            .expr_as(value(), "value")
            .order_by(("machine_metrics", column), Order::Asc)
            .limit(1)
            .offset(at)
            .to_owned();
        let row = db.query_one(&query).await?;
        // Between the two questions values move; the greatest is there in any case.
        row.map_or_else(|| Ok(None), |row| row.try_get::<f64>("", "value").map(Some))
    };
    let max: f64 = row.try_get("", "max")?;
    Ok(Some(Summary {
        machines,
        mean: row.try_get("", "mean")?,
        min: row.try_get("", "min")?,
        p50: nth(0.5).await?.unwrap_or(max),
        p95: nth(0.95).await?.unwrap_or(max),
        max,
    }))
}

/// Machines with the greatest or least newest value of a column.
pub(super) async fn top(
    db: &impl ConnectionTrait,
    column: &'static str,
    condition: Condition,
    order: Order,
    limit: u64,
) -> Result<Vec<TopMachine>, DbErr> {
    let query = newest(column, condition)
        .column(("machines", "id"))
        .column(("machines", "name"))
        .column(("machine_metrics", "at"))
        .expr_as(Expr::col(("machine_metrics", column)), "value")
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
