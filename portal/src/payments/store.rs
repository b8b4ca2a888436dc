//! Queries of webhooks and of the ids that they name.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::entity::{reference, webhook};

/// What became of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Its order knows.
    Applied,
    /// Its order is not known yet.
    Parked,
    /// It means nothing here.
    Ignored,
}

impl State {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Parked => "parked",
            Self::Ignored => "ignored",
        }
    }
}

pub(super) async fn webhook(db: &impl ConnectionTrait, id: &str) -> Result<Option<webhook::Model>, DbErr> {
    webhook::Entity::find_by_id(id.to_owned()).one(db).await
}

pub(super) async fn insert(
    db: &impl ConnectionTrait,
    id: &str,
    kind: &str,
    body: &str,
    state: State,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let row = webhook::ActiveModel {
        id: Set(id.into()),
        kind: Set(kind.into()),
        state: Set(state.name().into()),
        body: Set(body.into()),
        received_at: Set(now),
    };
    webhook::Entity::insert(row).exec(db).await.map(drop)
}

pub(super) async fn set_applied(db: &impl ConnectionTrait, id: &str) -> Result<(), DbErr> {
    let row = webhook::ActiveModel {
        id: Set(id.into()),
        state: Set(State::Applied.name().into()),
        ..Default::default()
    };
    row.update(db).await.map(drop)
}

/// Webhooks since then whose order was not known, oldest first.
pub(super) async fn parked(
    db: &impl ConnectionTrait,
    since: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<webhook::Model>, DbErr> {
    webhook::Entity::find()
        .filter(webhook::Column::State.eq(State::Parked.name()))
        .filter(webhook::Column::ReceivedAt.gt(since))
        .order_by_asc(webhook::Column::ReceivedAt)
        .order_by_asc(webhook::Column::Id)
        .limit(limit)
        .all(db)
        .await
}

pub(super) async fn count_parked(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    webhook::Entity::find().filter(webhook::Column::State.eq(State::Parked.name())).count(db).await
}

/// What is known of these ids.
pub(super) async fn references(
    db: &impl ConnectionTrait,
    ids: &[String],
) -> Result<Vec<reference::Model>, DbErr> {
    reference::Entity::find()
        .filter(reference::Column::Reference.is_in(ids.iter().cloned()))
        .order_by_asc(reference::Column::Reference)
        .all(db)
        .await
}

/// Remember that an id belongs to an order and a payment. What is known stays: the first event that names it is right.
pub(super) async fn link(
    db: &impl ConnectionTrait,
    id: &str,
    order: Uuid,
    payment: Option<&str>,
) -> Result<(), DbErr> {
    let row = reference::ActiveModel {
        reference: Set(id.into()),
        order_id: Set(order),
        payment: Set(payment.map(str::to_owned)),
    };
    reference::Entity::insert(row).on_conflict_do_nothing().exec_without_returning(db).await.map(drop)
}

/// The id of one kind (`sub_`) that belongs to an order.
pub(super) async fn of_order(
    db: &impl ConnectionTrait,
    order: Uuid,
    prefix: &str,
) -> Result<Option<String>, DbErr> {
    let rows = reference::Entity::find().filter(reference::Column::OrderId.eq(order)).all(db).await?;
    Ok(rows.into_iter().map(|row| row.reference).find(|id| id.starts_with(prefix)))
}
