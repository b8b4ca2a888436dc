//! Rollouts: a version of the agent for the machines of a selector, batch by batch.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("agent_rollouts")
                    .col(ColumnDef::new("id").uuid().not_null().primary_key())
                    .col(ColumnDef::new("version").string().not_null())
                    .col(ColumnDef::new("selector").text().not_null())
                    .col(ColumnDef::new("scope").text().not_null())
                    .col(ColumnDef::new("batch_percent").integer().not_null())
                    .col(ColumnDef::new("max_failures").integer().not_null())
                    .col(ColumnDef::new("confirm_within_s").integer().not_null())
                    .col(ColumnDef::new("state").string().not_null())
                    .col(ColumnDef::new("reason").text().not_null())
                    .col(ColumnDef::new("operations").json_binary().not_null())
                    .col(ColumnDef::new("actor").string().not_null())
                    .col(ColumnDef::new("actor_name").string().not_null())
                    .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
                    .col(ColumnDef::new("updated_at").timestamp_with_time_zone().not_null())
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("agent_rollouts_state")
                    .table("agent_rollouts")
                    .col("state")
                    .col("id")
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("agent_rollouts").to_owned()).await
    }
}
