//! How inventory changed over time.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("inventory_changes")
                    .col(ColumnDef::new("id").uuid().not_null().primary_key())
                    .col(ColumnDef::new("machine_id").uuid().not_null())
                    .col(ColumnDef::new("section").string().not_null())
                    .col(ColumnDef::new("at").timestamp_with_time_zone().not_null())
                    .col(ColumnDef::new("digest").string().not_null())
                    .col(ColumnDef::new("changes").json_binary().not_null())
                    .col(ColumnDef::new("truncated").boolean().not_null())
                    .foreign_key(
                        ForeignKey::create()
                            .from("inventory_changes", "machine_id")
                            .to("machines", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("inventory_changes_machine")
                    .table("inventory_changes")
                    .col("machine_id")
                    .col("id")
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("inventory_changes").to_owned()).await
    }
}
