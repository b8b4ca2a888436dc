//! The audit log: who changed what, from what, to what.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("audit_log")
                    .col(ColumnDef::new("id").uuid().not_null().primary_key())
                    .col(ColumnDef::new("at").timestamp_with_time_zone().not_null())
                    .col(ColumnDef::new("actor").string().not_null())
                    .col(ColumnDef::new("actor_name").string().not_null())
                    .col(ColumnDef::new("action").string().not_null())
                    .col(ColumnDef::new("entity_kind").string().not_null())
                    .col(ColumnDef::new("entity_id").string().not_null())
                    .col(ColumnDef::new("before").json_binary().null())
                    .col(ColumnDef::new("after").json_binary().null())
                    .col(ColumnDef::new("request_id").string().not_null())
                    .col(ColumnDef::new("client_ip").string().null())
                    .to_owned(),
            )
            .await?;
        for (name, columns) in [
            ("audit_log_entity", ["entity_kind", "entity_id", "id"]),
            ("audit_log_actor", ["actor", "id", "at"]),
            ("audit_log_action", ["action", "id", "at"]),
        ] {
            let mut index = Index::create();
            index.name(name).table("audit_log");
            for column in columns {
                index.col(column);
            }
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("audit_log").to_owned()).await
    }
}
