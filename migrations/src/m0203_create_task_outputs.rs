//! Output of tasks, in chunks.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("task_outputs")
                    .col(ColumnDef::new("task_id").uuid().not_null())
                    .col(ColumnDef::new("seq").big_integer().not_null())
                    .col(ColumnDef::new("stream").string().not_null())
                    .col(ColumnDef::new("data").binary().not_null())
                    .col(ColumnDef::new("at").timestamp_with_time_zone().not_null())
                    .primary_key(Index::create().col("task_id").col("seq"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("task_outputs", "task_id")
                            .to("operation_tasks", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("task_outputs").to_owned()).await
    }
}
