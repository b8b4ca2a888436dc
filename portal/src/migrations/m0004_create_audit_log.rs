//! Who changed what. It outlives what it tells of, so nothing in it is a foreign key.

use sea_orm_migration::{async_trait, prelude::*};

use super::{col, create, drop_all, index};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let log = Table::create()
            .table("audit_log")
            .col(col("id").uuid().primary_key())
            .col(col("at").timestamp_with_time_zone())
            .col(col("actor").string())
            .col(col("actor_name").string())
            .col(ColumnDef::new("organisation_id").uuid().null())
            .col(col("action").string())
            .col(col("entity_kind").string())
            .col(col("entity_id").string())
            .col(ColumnDef::new("detail").json_binary().null())
            .col(col("request_id").string())
            .col(ColumnDef::new("client_ip").string().null())
            .to_owned();
        create(manager, vec![log]).await?;
        manager
            .create_index(index("audit_log_organisation_id", "audit_log", &["organisation_id", "id"]))
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["audit_log"]).await
    }
}
