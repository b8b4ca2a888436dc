//! Table `machine_engines`.

use sea_orm::entity::prelude::*;

/// What became of an engine on a machine.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "machine_engines")]
#[allow(missing_docs)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub machine_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub engine_id: String,
    pub version: String,
    pub state: String,
    pub code: String,
    #[sea_orm(column_type = "Text")]
    pub message: String,
    pub updated_at: ChronoDateTimeUtc,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
