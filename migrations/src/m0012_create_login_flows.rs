//! Log-ins that are under way: half-sessions between password and code, and journeys to a provider.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("login_flows")
                    .col(ColumnDef::new("id").uuid().not_null().primary_key())
                    .col(ColumnDef::new("kind").string().not_null())
                    .col(ColumnDef::new("token_hash").string().not_null().unique_key())
                    .col(ColumnDef::new("user_id").uuid().null())
                    .col(ColumnDef::new("sealed").binary().null())
                    .col(ColumnDef::new("attempts").integer().not_null().default(0))
                    .col(ColumnDef::new("expires_at").timestamp_with_time_zone().not_null())
                    .foreign_key(
                        ForeignKey::create()
                            .from("login_flows", "user_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(Index::create().name("login_flows_expires_at").table("login_flows").col("expires_at").to_owned())
            .await?;
        manager
            .create_index(Index::create().name("login_flows_user_id").table("login_flows").col("user_id").to_owned())
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("login_flows").to_owned()).await?;
        Ok(())
    }
}
