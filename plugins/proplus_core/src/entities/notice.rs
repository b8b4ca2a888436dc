//! A notice of a licence that ends.

use sea_orm::entity::prelude::*;

/// Row of `proplus_core_notices`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "proplus_core_notices")]
pub struct Model {
    /// Licence, end and days: each is sent once.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// Licence.
    pub license_id: String,
    /// Days before the end.
    pub days: i64,
    /// The end.
    pub expires_at: DateTimeUtc,
    /// When it fell due.
    pub created_at: DateTimeUtc,
    /// When people were told; absent while the host could not.
    pub sent_at: Option<DateTimeUtc>,
}

/// No relations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
