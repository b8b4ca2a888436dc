//! Second factors of people who sign in.

use sea_orm_migration::{async_trait, prelude::*};

use super::{belongs, col, create, drop_all};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let totp = Table::create()
            .table("user_totp")
            .col(col("user_id").uuid().primary_key())
            .col(col("sealed").binary())
            .col(ColumnDef::new("confirmed_at").timestamp_with_time_zone().null())
            .col(col("last_step").big_integer())
            .col(col("created_at").timestamp_with_time_zone())
            .foreign_key(&mut belongs("user_totp", "user_id", "users"))
            .to_owned();
        let codes = Table::create()
            .table("recovery_codes")
            .col(col("user_id").uuid())
            .col(col("code_hash").string())
            .col(ColumnDef::new("used_at").timestamp_with_time_zone().null())
            .primary_key(Index::create().col("user_id").col("code_hash"))
            .foreign_key(&mut belongs("recovery_codes", "user_id", "users"))
            .to_owned();
        let half = Table::create()
            .table("half_sessions")
            .col(col("token_hash").string().primary_key())
            .col(col("user_id").uuid())
            .col(col("attempts").integer())
            .col(col("expires_at").timestamp_with_time_zone())
            .foreign_key(&mut belongs("half_sessions", "user_id", "users"))
            .to_owned();
        create(manager, vec![totp, codes, half]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["half_sessions", "recovery_codes", "user_totp"]).await
    }
}
