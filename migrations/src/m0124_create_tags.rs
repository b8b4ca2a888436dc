//! Tags: colour, description and, of automatic ones, the rule. Which machines have a tag stands in `machine_tags`.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("tags")
                    .col(ColumnDef::new("name").string().not_null().primary_key())
                    .col(ColumnDef::new("colour").string().not_null())
                    .col(ColumnDef::new("description").text().not_null())
                    .col(ColumnDef::new("selector").text().null())
                    .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
                    .col(ColumnDef::new("updated_at").timestamp_with_time_zone().not_null())
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("tags").to_owned()).await
    }
}
