//! How a recorded attempt ended, and which machine it concerned.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("audit_log")
                    .add_column(ColumnDef::new("outcome").string().not_null().default("success"))
                    .to_owned(),
            )
            .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("audit_log")
                    .add_column(ColumnDef::new("machine_id").uuid().null())
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(Index::create().name("audit_log_machine").table("audit_log").col("machine_id").col("id").to_owned())
            .await?;
        manager
            .create_index(Index::create().name("audit_log_at").table("audit_log").col("at").to_owned())
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("audit_log_machine").table("audit_log").to_owned()).await?;
        manager.drop_index(Index::drop().name("audit_log_at").table("audit_log").to_owned()).await?;
        manager
            .alter_table(Table::alter().table("audit_log").drop_column("outcome").to_owned())
            .await?;
        manager
            .alter_table(Table::alter().table("audit_log").drop_column("machine_id").to_owned())
            .await?;
        Ok(())
    }
}
