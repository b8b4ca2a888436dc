//! Queries of licences.

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    sea_query::Query,
};
use uuid::Uuid;

use super::entity::{edition, list, revoked};
use crate::orders::entity::order;

pub(super) async fn insert(db: &impl ConnectionTrait, row: edition::Model) -> Result<(), DbErr> {
    edition::Entity::insert(edition::ActiveModel::from(row).reset_all()).exec(db).await.map(drop)
}

/// The edition in force.
pub(super) async fn newest(
    db: &impl ConnectionTrait,
    license: &str,
) -> Result<Option<edition::Model>, DbErr> {
    edition::Entity::find()
        .filter(edition::Column::LicenseId.eq(license))
        .order_by_desc(edition::Column::Edition)
        .one(db)
        .await
}

/// Every edition of every licence of an organisation, newest first.
pub(super) async fn of_organisation(
    db: &impl ConnectionTrait,
    organisation: Uuid,
) -> Result<Vec<edition::Model>, DbErr> {
    let orders = Query::select()
        .column(order::Column::Id)
        .from(order::Entity)
        .and_where(order::Column::OrganisationId.eq(organisation))
        .to_owned();
    edition::Entity::find()
        .filter(edition::Column::OrderId.in_subquery(orders))
        .order_by_desc(edition::Column::IssuedAt)
        .order_by_desc(edition::Column::Edition)
        .all(db)
        .await
}

/// Whose licence it is.
pub(super) async fn organisation_of(db: &impl ConnectionTrait, license: &str) -> Result<Option<Uuid>, DbErr> {
    let order = order::Entity::find().filter(order::Column::LicenseId.eq(license)).one(db).await?;
    Ok(order.map(|order| order.organisation_id))
}

pub(super) async fn revoked(db: &impl ConnectionTrait) -> Result<Vec<revoked::Model>, DbErr> {
    revoked::Entity::find().order_by_asc(revoked::Column::Sequence).all(db).await
}

pub(super) async fn is_revoked(
    db: &impl ConnectionTrait,
    license: &str,
) -> Result<Option<revoked::Model>, DbErr> {
    revoked::Entity::find_by_id(license.to_owned()).one(db).await
}

pub(super) async fn insert_revoked(db: &impl ConnectionTrait, row: revoked::Model) -> Result<(), DbErr> {
    revoked::Entity::insert(revoked::ActiveModel::from(row).reset_all()).exec(db).await.map(drop)
}

/// The list that was signed last.
pub(super) async fn newest_list(db: &impl ConnectionTrait) -> Result<Option<list::Model>, DbErr> {
    list::Entity::find().order_by_desc(list::Column::Sequence).one(db).await
}

/// Keep a signed list; the one that stands under its number now, which may be another process's.
pub(super) async fn keep_list(db: &impl ConnectionTrait, row: list::Model) -> Result<list::Model, DbErr> {
    let fresh = list::ActiveModel::from(row.clone()).reset_all();
    list::Entity::insert(fresh).on_conflict_do_nothing().exec_without_returning(db).await?;
    Ok(list::Entity::find_by_id(row.sequence).one(db).await?.unwrap_or(row))
}
