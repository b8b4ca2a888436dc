//! History of figures: packed columns of one machine, one tier and one stretch of time a row.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("metric_blocks")
                    .col(ColumnDef::new("machine_id").uuid().not_null())
                    .col(ColumnDef::new("tier").integer().not_null())
                    .col(ColumnDef::new("start_s").big_integer().not_null())
                    .col(ColumnDef::new("data").binary().not_null())
                    .primary_key(Index::create().col("machine_id").col("tier").col("start_s"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("metric_blocks", "machine_id")
                            .to("machines", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        // What the retention job removes.
        let index = Index::create()
            .name("metric_blocks_age")
            .table("metric_blocks")
            .col("tier")
            .col("start_s")
            .to_owned();
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("metric_blocks").to_owned()).await
    }
}
