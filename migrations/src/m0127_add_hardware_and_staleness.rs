//! What stays with a machine's hardware, so that one computer that enrols twice is noticed, and since when a machine has
//! been silent for longer than the policy says.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let hardware = ColumnDef::new("hardware").json_binary().not_null().default("[]").to_owned();
        let stale = ColumnDef::new("stale_since").timestamp_with_time_zone().null().to_owned();
        for column in [hardware, stale] {
            let table = Table::alter().table("machines").add_column(column).to_owned();
            manager.alter_table(table).await?;
        }
        let table = Table::create()
            .table("machine_hardware")
            .col(ColumnDef::new("machine_id").uuid().not_null())
            .col(ColumnDef::new("identity").string().not_null())
            .primary_key(Index::create().col("machine_id").col("identity"))
            .foreign_key(
                ForeignKey::create()
                    .from("machine_hardware", "machine_id")
                    .to("machines", "id")
                    .on_delete(ForeignKeyAction::Cascade),
            )
            .to_owned();
        manager.create_table(table).await?;
        let index = Index::create()
            .name("machine_hardware_identity")
            .table("machine_hardware")
            .col("identity")
            .col("machine_id")
            .to_owned();
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("machine_hardware").to_owned()).await?;
        for column in ["hardware", "stale_since"] {
            let table = Table::alter().table("machines").drop_column(column).to_owned();
            manager.alter_table(table).await?;
        }
        Ok(())
    }
}
