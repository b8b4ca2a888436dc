//! Table `fleet_samples`.

use sea_orm::entity::prelude::*;

/// How many machines there were at a time, by what they needed. Approved ones, but for `pending`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "fleet_samples")]
#[allow(missing_docs)]
pub struct Model {
    /// Seconds since the Unix epoch, a multiple of ten minutes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub at_s: i64,
    pub machines: i64,
    pub online: i64,
    pub reboot: i64,
    pub updates: i64,
    pub security: i64,
    pub pending: i64,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
