//! A renewal without a network.

use sea_orm::entity::prelude::*;

/// Row of `proplus_core_renewals`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "proplus_core_renewals")]
pub struct Model {
    /// Id, a UUID v7: rows sort by age.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Who asked.
    pub actor_name: String,
    /// SHA-256 of the request file: what the answer must name.
    pub digest: String,
    /// The request file, JSON.
    pub request: String,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When an answer was taken in.
    pub answered_at: Option<DateTimeUtc>,
}

/// No relations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
