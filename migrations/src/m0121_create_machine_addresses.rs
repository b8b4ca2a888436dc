//! Addresses of machines, each also as sixteen bytes, so that networks are ranges of an index.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("machine_addresses")
                    .col(ColumnDef::new("machine_id").uuid().not_null())
                    .col(ColumnDef::new("address").string().not_null())
                    .col(ColumnDef::new("key").binary().null())
                    .primary_key(Index::create().col("machine_id").col("address"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("machine_addresses", "machine_id")
                            .to("machines", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("machine_addresses_key")
                    .table("machine_addresses")
                    .col("key")
                    .col("machine_id")
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("machine_addresses").to_owned()).await
    }
}
