//! What machines report about themselves, one row a section, with its digest.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("inventory_sections")
                    .col(ColumnDef::new("machine_id").uuid().not_null())
                    .col(ColumnDef::new("name").string().not_null())
                    .col(ColumnDef::new("digest").string().not_null())
                    .col(ColumnDef::new("data").json_binary().not_null())
                    .col(ColumnDef::new("collected_at").timestamp_with_time_zone().not_null())
                    .col(ColumnDef::new("received_at").timestamp_with_time_zone().not_null())
                    .primary_key(Index::create().col("machine_id").col("name"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("inventory_sections", "machine_id")
                            .to("machines", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("inventory_sections").to_owned()).await
    }
}
