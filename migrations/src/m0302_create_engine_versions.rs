//! Versions of engines that are kept, with the moment each was admitted.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("engine_versions")
                    .col(ColumnDef::new("engine").string().not_null())
                    .col(ColumnDef::new("version").string().not_null())
                    .col(ColumnDef::new("sha256").string().not_null())
                    .col(ColumnDef::new("size").big_integer().not_null())
                    .col(ColumnDef::new("publisher").string().not_null())
                    .col(ColumnDef::new("realm").string().not_null())
                    .col(ColumnDef::new("bad").text())
                    .col(ColumnDef::new("admitted_at").timestamp_with_time_zone().not_null())
                    .primary_key(Index::create().col("engine").col("version"))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("engine_versions").to_owned()).await
    }
}
