//! Releases of the agent that the host can give to machines.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("agent_releases")
                    .col(ColumnDef::new("version").string().not_null())
                    .col(ColumnDef::new("target").string().not_null())
                    .col(ColumnDef::new("size").big_integer().not_null())
                    .col(ColumnDef::new("sha256").string().not_null())
                    .col(ColumnDef::new("program_sha256").string().not_null())
                    .col(ColumnDef::new("program_size").big_integer().not_null())
                    .col(ColumnDef::new("publisher").string().not_null())
                    .col(ColumnDef::new("built_at").timestamp_with_time_zone().not_null())
                    .col(ColumnDef::new("added_at").timestamp_with_time_zone().not_null())
                    .col(ColumnDef::new("added_by").string().not_null())
                    .primary_key(Index::create().col("version").col("target"))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("agent_releases").to_owned()).await
    }
}
