//! Tags of machines.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("machine_tags")
                    .col(ColumnDef::new("machine_id").uuid().not_null())
                    .col(ColumnDef::new("tag").string().not_null())
                    .primary_key(Index::create().col("machine_id").col("tag"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("machine_tags", "machine_id")
                            .to("machines", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("machine_tags_tag")
                    .table("machine_tags")
                    .col("tag")
                    .col("machine_id")
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("machine_tags").to_owned()).await
    }
}
