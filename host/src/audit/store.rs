//! Queries of the audit log.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, Func, LikeExpr, Query},
};
use serde_json::Value;
use uuid::Uuid;

use super::{Change, Outcome, View, entity};
use crate::{ctx::Ctx, http::page::Page};

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Actor, e.g. `user:<uuid>`, or the actor's name.
    pub actor: Option<String>,
    /// Action, or a prefix that ends in `.*`.
    pub action: Option<String>,
    /// Kind of entity.
    pub entity_kind: Option<String>,
    /// Id of entity.
    pub entity_id: Option<String>,
    /// Request.
    pub request_id: Option<String>,
    /// The machine it concerns.
    pub machine: Option<Uuid>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Text in names, ids, actions or states, whatever the case.
    pub text: Option<String>,
    /// From this instant on.
    pub since: Option<DateTime<Utc>>,
    /// Before this instant.
    pub until: Option<DateTime<Utc>>,
}

pub(super) async fn insert(
    db: &impl ConnectionTrait,
    ctx: &Ctx,
    at: DateTime<Utc>,
    change: Change,
) -> Result<(), DbErr> {
    let some = |v: Value| if v == Value::Null { None } else { Some(v) };
    let row = entity::ActiveModel {
        id: Set(Uuid::now_v7()),
        at: Set(at),
        actor: Set(ctx.actor.to_string()),
        actor_name: Set(ctx.actor_name.clone()),
        action: Set(change.action),
        entity_kind: Set(change.entity_kind),
        entity_id: Set(change.entity_id),
        before: Set(some(change.before)),
        after: Set(some(change.after)),
        request_id: Set(ctx.request_id.clone()),
        client_ip: Set(ctx.client_ip.map(|ip| ip.to_string())),
        outcome: Set(change.outcome.name().into()),
        machine_id: Set(change.machine_id),
    };
    row.insert(db).await.map(drop)
}

/// When the newest entry was made. Ids begin with the time, so that the last id is the newest.
pub(super) async fn newest(db: &impl ConnectionTrait) -> Result<Option<DateTime<Utc>>, DbErr> {
    let newest = entity::Entity::find().order_by_desc(entity::Column::Id).one(db).await?;
    Ok(newest.map(|row| row.at))
}

pub(super) async fn list(
    db: &impl ConnectionTrait,
    filter: &Filter,
    view: &View,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Page<entity::Model>, DbErr> {
    let mut query = entity::Entity::find().filter(wanted(filter)).filter(visible(view));
    if let Some(after) = after {
        query = query.filter(entity::Column::Id.lt(after));
    }
    let rows = query.order_by_desc(entity::Column::Id).limit(limit + 1).all(db).await?;
    Ok(Page::cut(rows, limit, |row| row.id.to_string()))
}

fn wanted(filter: &Filter) -> Condition {
    use entity::Column as C;
    let mut all = Condition::all();
    if let Some(actor) = &filter.actor {
        all = all.add(Condition::any().add(C::Actor.eq(actor)).add(C::ActorName.eq(actor)));
    }
    if let Some(action) = &filter.action {
        all = all.add(match action.strip_suffix('*') {
            Some(prefix) => like(Expr::col(C::Action), &format!("{}%", escaped(prefix))),
            None => C::Action.eq(action),
        });
    }
    for (column, value) in [
        (C::EntityKind, &filter.entity_kind),
        (C::EntityId, &filter.entity_id),
        (C::RequestId, &filter.request_id),
    ] {
        if let Some(value) = value {
            all = all.add(column.eq(value));
        }
    }
    if let Some(machine) = filter.machine {
        all = all.add(C::MachineId.eq(machine));
    }
    if let Some(outcome) = filter.outcome {
        all = all.add(C::Outcome.eq(outcome.name()));
    }
    if let Some(text) = &filter.text {
        all = all.add(mentions(text));
    }
    if let Some(since) = filter.since {
        all = all.add(C::At.gte(since));
    }
    if let Some(until) = filter.until {
        all = all.add(C::At.lt(until));
    }
    all
}

/// Entries in which `text` occurs. It reads entries from the newest on, until a page is full.
fn mentions(text: &str) -> Condition {
    use entity::Column as C;
    let pattern = format!("%{}%", escaped(&text.to_lowercase()));
    [C::ActorName, C::Action, C::EntityKind, C::EntityId, C::Before, C::After].into_iter().fold(
        Condition::any(),
        |any, column| {
            let text = Expr::col(column).cast_as("text");
            any.add(like(Expr::expr(Func::lower(text)), &pattern))
        },
    )
}

fn like(text: impl ExprTrait, pattern: &str) -> Expr {
    text.like(LikeExpr::new(pattern).escape('\\'))
}

fn escaped(text: &str) -> String {
    text.chars()
        .flat_map(|c| ['\\', c].into_iter().skip(usize::from(!matches!(c, '%' | '_' | '\\'))))
        .collect()
}

/// What a caller may see.
fn visible(view: &View) -> Condition {
    let View::Scoped { machines, actor } = view else { return Condition::all() };
    let machines = Query::select().column("id").from("machines").cond_where(machines.clone()).to_owned();
    Condition::any().add(entity::Column::MachineId.in_subquery(machines)).add(entity::Column::Actor.eq(actor))
}

/// Delete entries made before `cutoff`, at most `limit`. How many there were.
pub(super) async fn delete_before(
    db: &impl ConnectionTrait,
    cutoff: DateTime<Utc>,
    limit: u64,
) -> Result<u64, DbErr> {
    let old: Vec<Uuid> = entity::Entity::find()
        .select_only()
        .column(entity::Column::Id)
        .filter(entity::Column::At.lt(cutoff))
        .order_by_asc(entity::Column::At)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await?;
    if old.is_empty() {
        return Ok(0);
    }
    Ok(entity::Entity::delete_many().filter(entity::Column::Id.is_in(old)).exec(db).await?.rows_affected)
}
