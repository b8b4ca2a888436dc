//! Queries of the activity log.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::{Change, entity};
use crate::ctx::Ctx;

pub(super) async fn insert(
    db: &impl ConnectionTrait,
    ctx: &Ctx,
    at: DateTime<Utc>,
    change: Change,
) -> Result<(), DbErr> {
    let row = entity::ActiveModel {
        id: Set(Uuid::now_v7()),
        at: Set(at),
        actor: Set(ctx.actor.to_string()),
        actor_name: Set(ctx.actor_name.clone()),
        organisation_id: Set(change.organisation),
        action: Set(change.action.into()),
        entity_kind: Set(change.kind.into()),
        entity_id: Set(change.id),
        detail: Set(change.detail),
        request_id: Set(ctx.request_id.clone()),
        client_ip: Set(ctx.client_ip.map(|ip| ip.to_string())),
    };
    row.insert(db).await.map(drop)
}

/// Entries of an organisation, or of all, newest first.
pub(super) async fn list(
    db: &impl ConnectionTrait,
    organisation: Option<Uuid>,
    before: Option<Uuid>,
    limit: u64,
) -> Result<Vec<entity::Model>, DbErr> {
    let mut query = entity::Entity::find().order_by_desc(entity::Column::Id).limit(limit);
    if let Some(organisation) = organisation {
        query = query.filter(entity::Column::OrganisationId.eq(organisation));
    }
    if let Some(before) = before {
        query = query.filter(entity::Column::Id.lt(before));
    }
    query.all(db).await
}
