//! One row per machine of an operation.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("operation_tasks")
                    .col(ColumnDef::new("id").uuid().not_null().primary_key())
                    .col(ColumnDef::new("operation_id").uuid().not_null())
                    .col(ColumnDef::new("machine_id").uuid().not_null())
                    .col(ColumnDef::new("machine_name").string().not_null())
                    .col(ColumnDef::new("state").string().not_null())
                    .col(ColumnDef::new("attempt").integer().not_null())
                    .col(ColumnDef::new("retry_of").uuid().null())
                    .col(ColumnDef::new("cancel_requested").boolean().not_null())
                    .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
                    .col(ColumnDef::new("dispatched_at").timestamp_with_time_zone().null())
                    .col(ColumnDef::new("accepted_at").timestamp_with_time_zone().null())
                    .col(ColumnDef::new("started_at").timestamp_with_time_zone().null())
                    .col(ColumnDef::new("finished_at").timestamp_with_time_zone().null())
                    .col(ColumnDef::new("deadline").timestamp_with_time_zone().null())
                    .col(ColumnDef::new("result").json_binary().null())
                    .col(ColumnDef::new("error_code").string().null())
                    .col(ColumnDef::new("error_message").text().null())
                    .col(ColumnDef::new("late_result").json_binary().null())
                    .col(ColumnDef::new("output_chunks").big_integer().not_null())
                    .col(ColumnDef::new("output_bytes").big_integer().not_null())
                    .col(ColumnDef::new("output_truncated").boolean().not_null())
                    .foreign_key(
                        ForeignKey::create()
                            .from("operation_tasks", "operation_id")
                            .to("operations", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        for (name, columns) in [
            ("operation_tasks_operation", ["operation_id", "state", "id"]),
            ("operation_tasks_machine", ["machine_id", "state", "id"]),
            ("operation_tasks_state", ["state", "deadline", "id"]),
        ] {
            let mut index = Index::create();
            index.name(name).table("operation_tasks");
            for column in columns {
                index.col(column);
            }
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("operation_tasks").to_owned()).await
    }
}
