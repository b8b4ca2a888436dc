//! Sessions and API tokens; only the hash of a secret is kept.

use sea_orm_migration::{async_trait, prelude::*};

use super::{belongs, col, create, drop_all, index};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sessions = Table::create()
            .table("sessions")
            .col(col("id").uuid().primary_key())
            .col(col("user_id").uuid())
            .col(col("token_hash").string().unique_key())
            .col(col("created_at").timestamp_with_time_zone())
            .col(col("expires_at").timestamp_with_time_zone())
            .col(ColumnDef::new("client_ip").string().null())
            .foreign_key(&mut belongs("sessions", "user_id", "users"))
            .to_owned();
        let tokens = Table::create()
            .table("api_tokens")
            .col(col("id").uuid().primary_key())
            .col(col("user_id").uuid())
            .col(col("organisation_id").uuid())
            .col(col("name").string())
            .col(col("token_hash").string().unique_key())
            .col(col("prefix").string())
            .col(col("created_at").timestamp_with_time_zone())
            .col(ColumnDef::new("expires_at").timestamp_with_time_zone().null())
            .foreign_key(&mut belongs("api_tokens", "user_id", "users"))
            .foreign_key(&mut belongs("api_tokens", "organisation_id", "organisations"))
            .to_owned();
        create(manager, vec![sessions, tokens]).await?;
        manager.create_index(index("sessions_user_id", "sessions", &["user_id"])).await?;
        manager.create_index(index("api_tokens_organisation_id", "api_tokens", &["organisation_id"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["api_tokens", "sessions"]).await
    }
}
