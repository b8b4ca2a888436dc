//! An entry of the ledger. Texts, so that what was hashed is what is stored.

use sea_orm::entity::prelude::*;

/// Row of `proplus_core_ledger`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "proplus_core_ledger")]
pub struct Model {
    /// Place in the chain, from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    /// When, RFC 3339 with microseconds.
    pub at: String,
    /// What happened: `license.installed`, `usage.day`.
    pub kind: String,
    /// Facts, JSON.
    pub data: String,
    /// Hash of the entry before.
    pub previous: String,
    /// Hash of this one.
    pub hash: String,
}

/// No relations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
