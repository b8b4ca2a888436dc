//! Machines that an API token reaches, and the beginning of its secret, to tell tokens apart.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("api_tokens")
                    .add_column(ColumnDef::new("scope").string().not_null().default(""))
                    .to_owned(),
            )
            .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("api_tokens")
                    .add_column(ColumnDef::new("prefix").string().not_null().default(""))
                    .to_owned(),
            )
            .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("api_tokens")
                    .add_column(ColumnDef::new("rotated_at").timestamp_with_time_zone().null())
                    .to_owned(),
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(Table::alter().table("api_tokens").drop_column("scope").to_owned())
            .await?;
        manager
            .alter_table(Table::alter().table("api_tokens").drop_column("prefix").to_owned())
            .await?;
        manager
            .alter_table(Table::alter().table("api_tokens").drop_column("rotated_at").to_owned())
            .await?;
        Ok(())
    }
}
