//! Capabilities that an administrator, or the rule for the vendor's engines, decided on.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("engine_grants")
                    .col(ColumnDef::new("engine").string().not_null())
                    .col(ColumnDef::new("capability").string().not_null())
                    .col(ColumnDef::new("granted").boolean().not_null())
                    .col(ColumnDef::new("decided_by").string().not_null())
                    .col(ColumnDef::new("decided_at").timestamp_with_time_zone().not_null())
                    .primary_key(Index::create().col("engine").col("capability"))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("engine_grants").to_owned()).await
    }
}
