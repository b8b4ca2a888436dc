//! Operations: one command on many machines.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("operations")
                    .col(ColumnDef::new("id").uuid().not_null().primary_key())
                    .col(ColumnDef::new("command").string().not_null())
                    .col(ColumnDef::new("title").string().not_null())
                    .col(ColumnDef::new("actor").string().not_null())
                    .col(ColumnDef::new("actor_name").string().not_null())
                    .col(ColumnDef::new("request_id").string().not_null())
                    .col(ColumnDef::new("engine_id").string().null())
                    .col(ColumnDef::new("engine_version").string().null())
                    .col(ColumnDef::new("selector").text().not_null())
                    .col(ColumnDef::new("payload").json_binary().not_null())
                    .col(ColumnDef::new("secrets").json_binary().not_null())
                    .col(ColumnDef::new("timeout_s").integer().not_null())
                    .col(ColumnDef::new("concurrency").integer().not_null())
                    .col(ColumnDef::new("total").integer().not_null())
                    .col(ColumnDef::new("idempotency_key").string().null().unique_key())
                    .col(ColumnDef::new("retry_of").uuid().null())
                    .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
                    .col(ColumnDef::new("start_by").timestamp_with_time_zone().not_null())
                    .col(ColumnDef::new("cancelled_at").timestamp_with_time_zone().null())
                    .col(ColumnDef::new("finished_at").timestamp_with_time_zone().null())
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("operations_unfinished")
                    .table("operations")
                    .col("finished_at")
                    .col("id")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("operations_engine")
                    .table("operations")
                    .col("engine_id")
                    .col("id")
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("operations").to_owned()).await
    }
}
