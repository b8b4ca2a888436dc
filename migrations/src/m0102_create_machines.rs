//! Managed machines. Identity is the fingerprint of the agent's key.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("machines")
                    .col(ColumnDef::new("id").uuid().not_null().primary_key())
                    .col(ColumnDef::new("name").string().not_null())
                    .col(ColumnDef::new("state").string().not_null())
                    .col(ColumnDef::new("key_fingerprint").string().not_null().unique_key())
                    .col(ColumnDef::new("public_key").binary().not_null())
                    .col(ColumnDef::new("poll_handle_hash").string().not_null().unique_key())
                    .col(ColumnDef::new("hostname").string().not_null())
                    .col(ColumnDef::new("os_family").string().not_null())
                    .col(ColumnDef::new("os_id").string().not_null())
                    .col(ColumnDef::new("os_name").string().not_null())
                    .col(ColumnDef::new("os_version").string().not_null())
                    .col(ColumnDef::new("kernel").string().not_null())
                    .col(ColumnDef::new("arch").string().not_null())
                    .col(ColumnDef::new("target").string().not_null())
                    .col(ColumnDef::new("cpus").integer().not_null())
                    .col(ColumnDef::new("memory_bytes").big_integer().not_null())
                    .col(ColumnDef::new("boot_id").string().not_null())
                    .col(ColumnDef::new("addresses").json_binary().not_null())
                    .col(ColumnDef::new("agent_version").string().not_null())
                    .col(ColumnDef::new("notes").text().not_null())
                    .col(ColumnDef::new("online").boolean().not_null())
                    .col(ColumnDef::new("last_seen_at").timestamp_with_time_zone().null())
                    .col(ColumnDef::new("last_ip").string().null())
                    .col(ColumnDef::new("enrolment_token_id").uuid().null())
                    .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
                    .col(ColumnDef::new("updated_at").timestamp_with_time_zone().not_null())
                    .col(ColumnDef::new("decided_at").timestamp_with_time_zone().null())
                    .col(ColumnDef::new("decided_by").string().null())
                    .to_owned(),
            )
            .await?;
        for (name, column) in
            [("machines_name", "name"), ("machines_state", "state"), ("machines_online", "online")]
        {
            let index = Index::create().name(name).table("machines").col(column).col("id").to_owned();
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("machines").to_owned()).await
    }
}
