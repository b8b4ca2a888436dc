//! Queries of orders and their events.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, TryInsertResult,
};
use uuid::Uuid;

use super::{
    Event,
    entity::{event, order},
};
use crate::payments::entity::reference;

pub(super) async fn insert(db: &impl ConnectionTrait, row: order::Model) -> Result<(), DbErr> {
    order::Entity::insert(order::ActiveModel::from(row).reset_all()).exec(db).await.map(drop)
}

pub(super) async fn get(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<order::Model>, DbErr> {
    order::Entity::find_by_id(id).one(db).await
}

/// An order whose row stays locked until the transaction ends: what happens to it happens one after the other.
pub(super) async fn locked(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<order::Model>, DbErr> {
    order::Entity::find_by_id(id).lock_exclusive().one(db).await
}

/// The order that a licence follows from.
pub(super) async fn of_license(
    db: &impl ConnectionTrait,
    license: &str,
) -> Result<Option<order::Model>, DbErr> {
    order::Entity::find().filter(order::Column::LicenseId.eq(license)).one(db).await
}

/// Orders of an organisation, newest first.
pub(super) async fn of_organisation(
    db: &impl ConnectionTrait,
    organisation: Uuid,
) -> Result<Vec<order::Model>, DbErr> {
    order::Entity::find()
        .filter(order::Column::OrganisationId.eq(organisation))
        .order_by_desc(order::Column::Id)
        .all(db)
        .await
}

/// Orders of everybody, oldest first, from `after` on.
pub(super) async fn all(
    db: &impl ConnectionTrait,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<order::Model>, DbErr> {
    let mut query = order::Entity::find().order_by_asc(order::Column::Id).limit(limit);
    if let Some(after) = after {
        query = query.filter(order::Column::Id.gt(after));
    }
    query.all(db).await
}

/// Record an event; `false` when the order has one of this id.
pub(super) async fn record(
    db: &impl ConnectionTrait,
    order: Uuid,
    event: &Event,
    actor: String,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let body = serde_json::to_value(event).map_err(|e| DbErr::Custom(e.to_string()))?;
    let row = event::Model {
        order_id: order,
        event_id: event.id.clone(),
        at: event.at,
        recorded_at: now,
        actor,
        kind: event.what.kind().into(),
        body,
    };
    let inserted = event::Entity::insert(event::ActiveModel::from(row).reset_all())
        .on_conflict_do_nothing()
        .exec_without_returning(db)
        .await?;
    Ok(matches!(inserted, TryInsertResult::Inserted(1)))
}

/// Let a payment pay this order and no other, ever; `false` when it paid another.
pub(super) async fn claim(db: &impl ConnectionTrait, order: Uuid, payment: &str) -> Result<bool, DbErr> {
    let row = reference::ActiveModel {
        reference: Set(payment.to_owned()),
        order_id: Set(order),
        payment: Set(Some(payment.to_owned())),
    };
    reference::Entity::insert(row).on_conflict_do_nothing().exec_without_returning(db).await?;
    let known = reference::Entity::find_by_id(payment.to_owned()).one(db).await?;
    Ok(known.is_some_and(|known| known.order_id == order))
}

/// Rows of an order's events, as they were recorded.
pub(super) async fn rows(db: &impl ConnectionTrait, orders: &[Uuid]) -> Result<Vec<event::Model>, DbErr> {
    event::Entity::find()
        .filter(event::Column::OrderId.is_in(orders.iter().copied()))
        .order_by_asc(event::Column::RecordedAt)
        .order_by_asc(event::Column::EventId)
        .all(db)
        .await
}

/// Whether any of these orders has an event of a kind.
pub(super) async fn has_kind(db: &impl ConnectionTrait, orders: &[Uuid], kind: &str) -> Result<bool, DbErr> {
    let found = event::Entity::find()
        .filter(event::Column::OrderId.is_in(orders.iter().copied()))
        .filter(event::Column::Kind.eq(kind))
        .one(db)
        .await?;
    Ok(found.is_some())
}

/// What an event says.
pub(super) fn parse(row: event::Model) -> Result<Event, DbErr> {
    serde_json::from_value(row.body).map_err(|e| DbErr::Custom(format!("event {}: {e}", row.event_id)))
}
