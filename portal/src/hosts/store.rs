//! Queries of hosts and their receipts.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, sea_query::OnConflict,
};
use uuid::Uuid;

use super::{
    Host,
    entity::{contact, receipt},
};

/// Note that a host called.
pub(super) async fn note(db: &impl ConnectionTrait, row: contact::Model) -> Result<(), DbErr> {
    use contact::Column as C;
    let newer = OnConflict::columns([C::LicenseId, C::Instance])
        .update_columns([C::HostVersion, C::Engines, C::LastAt])
        .to_owned();
    contact::Entity::insert(contact::ActiveModel::from(row).reset_all())
        .on_conflict(newer)
        .exec_without_returning(db)
        .await
        .map(drop)
}

pub(super) async fn has_called(db: &impl ConnectionTrait, host: &Host) -> Result<bool, DbErr> {
    let key = (host.license.clone(), host.instance.to_string());
    Ok(contact::Entity::find_by_id(key).one(db).await?.is_some())
}

/// Instances that have called with a licence.
pub(super) async fn instances(db: &impl ConnectionTrait, license: &str) -> Result<u64, DbErr> {
    contact::Entity::find().filter(contact::Column::LicenseId.eq(license)).count(db).await
}

/// Hosts of an organisation, the one that called last first.
pub(super) async fn contacts(db: &impl ConnectionTrait, org: Uuid) -> Result<Vec<contact::Model>, DbErr> {
    contact::Entity::find()
        .filter(contact::Column::OrganisationId.eq(org))
        .order_by_desc(contact::Column::LastAt)
        .all(db)
        .await
}

pub(super) async fn insert(db: &impl ConnectionTrait, row: receipt::Model) -> Result<(), DbErr> {
    receipt::Entity::insert(receipt::ActiveModel::from(row).reset_all()).exec(db).await.map(drop)
}

/// The last receipt of a host's chain.
pub(super) async fn head(db: &impl ConnectionTrait, host: &Host) -> Result<Option<receipt::Model>, DbErr> {
    of_host(host).order_by_desc(receipt::Column::Sequence).one(db).await
}

/// The receipt of a number.
pub(super) async fn numbered(
    db: &impl ConnectionTrait,
    host: &Host,
    sequence: i64,
) -> Result<Option<receipt::Model>, DbErr> {
    let key = (host.license.clone(), host.instance.to_string(), sequence);
    receipt::Entity::find_by_id(key).one(db).await
}

/// How many were taken of a host's chain since then.
pub(super) async fn taken_since(
    db: &impl ConnectionTrait,
    host: &Host,
    since: DateTime<Utc>,
) -> Result<u64, DbErr> {
    of_host(host).filter(receipt::Column::ReceivedAt.gt(since)).count(db).await
}

/// Receipts of an organisation, those taken last first.
pub(super) async fn receipts(
    db: &impl ConnectionTrait,
    org: Uuid,
    license: Option<&str>,
    instance: Option<&str>,
    before: Option<i64>,
    limit: u64,
) -> Result<Vec<receipt::Model>, DbErr> {
    use receipt::Column as C;
    let mut query = receipt::Entity::find()
        .filter(C::OrganisationId.eq(org))
        .order_by_desc(C::ReceivedAt)
        .order_by_desc(C::Sequence)
        .limit(limit);
    if let Some(license) = license {
        query = query.filter(C::LicenseId.eq(license));
    }
    if let Some(instance) = instance {
        query = query.filter(C::Instance.eq(instance));
    }
    if let Some(before) = before {
        query = query.filter(C::Sequence.lt(before));
    }
    query.all(db).await
}

fn of_host(host: &Host) -> sea_orm::Select<receipt::Entity> {
    receipt::Entity::find()
        .filter(receipt::Column::LicenseId.eq(host.license.as_str()))
        .filter(receipt::Column::Instance.eq(host.instance.to_string()))
}
