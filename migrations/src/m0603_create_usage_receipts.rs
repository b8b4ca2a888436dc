//! Usage receipts: what this host said it used, one chain for each licence, kept as it was signed.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("usage_receipts")
                    .col(ColumnDef::new("license").string().not_null())
                    .col(ColumnDef::new("sequence").big_integer().not_null())
                    .col(ColumnDef::new("receipt").text().not_null())
                    .col(ColumnDef::new("countersigned").text().null())
                    .col(ColumnDef::new("made_at").timestamp_with_time_zone().not_null())
                    .primary_key(Index::create().col("license").col("sequence"))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("usage_receipts").to_owned()).await
    }
}
