//! Downloads of engines from the portal: one row each, kept so that a host that starts again goes on.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("marketplace_downloads")
                    .col(ColumnDef::new("id").uuid().not_null().primary_key())
                    .col(ColumnDef::new("engine").string().not_null())
                    .col(ColumnDef::new("version").string().not_null())
                    .col(ColumnDef::new("target").text().not_null())
                    .col(ColumnDef::new("sha256").string().not_null())
                    .col(ColumnDef::new("size").big_integer().not_null())
                    .col(ColumnDef::new("received").big_integer().not_null())
                    .col(ColumnDef::new("state").string().not_null())
                    .col(ColumnDef::new("error").json_binary().null())
                    .col(ColumnDef::new("actor_name").string().not_null())
                    .col(ColumnDef::new("automatic").boolean().not_null())
                    .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
                    .col(ColumnDef::new("updated_at").timestamp_with_time_zone().not_null())
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("marketplace_downloads").to_owned()).await
    }
}
