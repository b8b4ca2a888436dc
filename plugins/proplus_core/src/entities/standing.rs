//! What the licences last granted an engine.

use sea_orm::entity::prelude::*;

/// Row of `proplus_core_standings`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "proplus_core_standings")]
pub struct Model {
    /// Engine, as licences name it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub engine: String,
    /// `granted`, `grace`, `read_only` or `locked`.
    pub state: String,
    /// Reason.
    pub code: String,
    /// Since when.
    pub since: DateTimeUtc,
}

/// No relations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
