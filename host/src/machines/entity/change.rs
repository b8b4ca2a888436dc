//! Table `inventory_changes`.

use sea_orm::entity::prelude::*;

/// How a section changed.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "inventory_changes")]
#[allow(missing_docs)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub machine_id: Uuid,
    pub section: String,
    pub at: ChronoDateTimeUtc,
    pub digest: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub changes: Json,
    pub truncated: bool,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
