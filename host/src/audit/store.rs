//! Queries of the audit log.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{Expr, ExprTrait, Query},
};
use serde_json::Value;
use uuid::Uuid;

use super::{Change, entity};
use crate::{
    ctx::{Actor, Ctx},
    http::page::Page,
};

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
    };
    row.insert(db).await.map(drop)
}

/// When the newest entry was made. Ids begin with the time, so that the last id is the newest.
pub(super) async fn newest(db: &impl ConnectionTrait) -> Result<Option<DateTime<Utc>>, DbErr> {
    let newest = entity::Entity::find().order_by_desc(entity::Column::Id).one(db).await?;
    Ok(newest.map(|row| row.at))
}

/// Entries about machines for which `machines` holds, and those of `actor`.
pub(super) fn within(machines: Condition, actor: &Actor, backend: DbBackend) -> Condition {
    // Entries hold ids as text; SQLite keeps a machine's id as bytes.
    let (id, text) = match backend {
        DbBackend::Postgres => ("CAST(machines.id AS text)", "entity_id"),
        _ => ("lower(hex(machines.id))", "replace(entity_id, '-', '')"),
    };
    let ids = Query::select().expr(Expr::cust(id)).from("machines").cond_where(machines).to_owned();
    let about =
        Condition::all().add(entity::Column::EntityKind.eq("machine")).add(Expr::cust(text).in_subquery(ids));
    Condition::any().add(about).add(entity::Column::Actor.eq(actor.to_string()))
}

pub(super) async fn list(
    db: &impl ConnectionTrait,
    filter: Filter,
    seen: Condition,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Page<entity::Model>, DbErr> {
    use entity::Column as C;
    let mut query = entity::Entity::find().filter(seen);
    if let Some(actor) = filter.actor {
        query = query.filter(Condition::any().add(C::Actor.eq(actor.clone())).add(C::ActorName.eq(actor)));
    }
    if let Some(action) = filter.action {
        query = query.filter(match action.strip_suffix('*') {
            Some(prefix) => C::Action.starts_with(prefix),
            None => C::Action.eq(action),
        });
    }
    for (column, value) in [
        (C::EntityKind, filter.entity_kind),
        (C::EntityId, filter.entity_id),
        (C::RequestId, filter.request_id),
    ] {
        if let Some(value) = value {
            query = query.filter(column.eq(value));
        }
    }
    if let Some(since) = filter.since {
        query = query.filter(C::At.gte(since));
    }
    if let Some(until) = filter.until {
        query = query.filter(C::At.lt(until));
    }
    if let Some(after) = after {
        query = query.filter(C::Id.lt(after));
    }
    let rows = query.order_by_desc(C::Id).limit(limit + 1).all(db).await?;
    Ok(Page::cut(rows, limit, |row| row.id.to_string()))
}
