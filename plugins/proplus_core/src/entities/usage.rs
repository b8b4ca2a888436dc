//! Machines of a day.

use sea_orm::entity::prelude::*;

/// Row of `proplus_core_usage`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "proplus_core_usage")]
pub struct Model {
    /// Day, `2030-01-31`, UTC.
    #[sea_orm(primary_key, auto_increment = false)]
    pub day: String,
    /// Most machines approved at once.
    pub peak: i64,
    /// Machines approved when last looked.
    pub last: i64,
    /// Most that were allowed; absent for no limit.
    pub machine_limit: Option<i64>,
    /// When last looked.
    pub seen_at: DateTimeUtc,
    /// Whether the day is in the ledger.
    pub in_ledger: bool,
}

/// No relations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
