//! Queries on usage receipts.

use chrono::{DateTime, Utc};
use licenses::receipt::Receipt;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::OnConflict,
};

use super::entity::receipt::{self, Column as C};

/// The last receipt of a licence's chain.
pub(super) async fn last(db: &impl ConnectionTrait, license: &str) -> Result<Option<receipt::Model>, DbErr> {
    let of_license = receipt::Entity::find().filter(C::License.eq(license));
    of_license.order_by_desc(C::Sequence).one(db).await
}

/// Receipts that the portal has not countersigned, in their order.
pub(super) async fn open(
    db: &impl ConnectionTrait,
    license: &str,
    most: u64,
) -> Result<Vec<receipt::Model>, DbErr> {
    receipt::Entity::find()
        .filter(C::License.eq(license))
        .filter(C::Countersigned.is_null())
        .order_by_asc(C::Sequence)
        .limit(most)
        .all(db)
        .await
}

pub(super) async fn insert(
    db: &impl ConnectionTrait,
    new: &Receipt,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    receipt::Entity::insert(row(new, None, now)).exec_without_returning(db).await.map(drop)
}

/// Keep the portal's signature.
pub(super) async fn countersign(
    db: &impl ConnectionTrait,
    license: &str,
    sequence: i64,
    text: &str,
) -> Result<(), DbErr> {
    receipt::Entity::update_many()
        .col_expr(C::Countersigned, text.into())
        .filter(C::License.eq(license))
        .filter(C::Sequence.eq(sequence))
        .exec(db)
        .await
        .map(drop)
}

/// Forget what the portal has not countersigned.
pub(super) async fn drop_open(db: &impl ConnectionTrait, license: &str) -> Result<(), DbErr> {
    receipt::Entity::delete_many()
        .filter(C::License.eq(license))
        .filter(C::Countersigned.is_null())
        .exec(db)
        .await
        .map(drop)
}

/// Put a receipt that the portal has in the place of whatever has its number.
pub(super) async fn adopt(
    db: &impl ConnectionTrait,
    known: &Receipt,
    text: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let replace = OnConflict::columns([C::License, C::Sequence])
        .update_columns([C::Receipt, C::Countersigned, C::MadeAt])
        .to_owned();
    receipt::Entity::insert(row(known, Some(text), now))
        .on_conflict(replace)
        .exec_without_returning(db)
        .await
        .map(drop)
}

fn row(receipt: &Receipt, countersigned: Option<&str>, now: DateTime<Utc>) -> receipt::ActiveModel {
    let usage = receipt.usage();
    receipt::ActiveModel {
        license: Set(usage.license.clone()),
        sequence: Set(usage.sequence.try_into().unwrap_or(i64::MAX)),
        receipt: Set(receipt.text().to_owned()),
        countersigned: Set(countersigned.map(str::to_owned)),
        made_at: Set(now),
    }
}
