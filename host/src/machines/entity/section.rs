//! Table `inventory_sections`.

use sea_orm::entity::prelude::*;

/// One inventory section of a machine.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "inventory_sections")]
#[allow(missing_docs)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub machine_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub digest: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub data: Json,
    pub collected_at: ChronoDateTimeUtc,
    pub received_at: ChronoDateTimeUtc,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
