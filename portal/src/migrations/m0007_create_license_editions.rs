//! Every edition of every licence, and licences that were revoked.

use sea_orm_migration::{async_trait, prelude::*};

use super::{belongs, col, create, drop_all, index};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let editions = Table::create()
            .table("license_editions")
            .col(col("license_id").string())
            .col(col("edition").integer())
            .col(col("order_id").uuid())
            .col(col("issued_at").timestamp_with_time_zone())
            .col(col("claims").json_binary())
            .col(col("token").text())
            .primary_key(Index::create().col("license_id").col("edition"))
            .foreign_key(&mut belongs("license_editions", "order_id", "orders"))
            .to_owned();
        let revoked = Table::create()
            .table("revoked_licenses")
            .col(col("license_id").string().primary_key())
            .col(col("sequence").big_integer().unique_key())
            .col(col("reason").string())
            .col(col("at").timestamp_with_time_zone())
            .to_owned();
        create(manager, vec![editions, revoked]).await?;
        manager.create_index(index("license_editions_order_id", "license_editions", &["order_id"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["revoked_licenses", "license_editions"]).await
    }
}
