//! Engines that were ever installed, and the highest version of each: the floor below which nothing is installed.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("engines")
                    .col(ColumnDef::new("id").string().not_null().primary_key())
                    .col(ColumnDef::new("enabled").boolean().not_null())
                    .col(ColumnDef::new("mode").string())
                    .col(ColumnDef::new("current").string())
                    .col(ColumnDef::new("previous").string())
                    .col(ColumnDef::new("highest").string().not_null())
                    .col(ColumnDef::new("failure").text())
                    .col(ColumnDef::new("exported_at").timestamp_with_time_zone())
                    .col(ColumnDef::new("installed_at").timestamp_with_time_zone().not_null())
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("engines").to_owned()).await
    }
}
