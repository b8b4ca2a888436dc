//! Downloads by engine, version, target and day.

use sea_orm_migration::{async_trait, prelude::*};

use super::{col, create, drop_all};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let counts = Table::create()
            .table("download_counts")
            .col(col("day").date())
            .col(col("engine").string())
            .col(col("version").string())
            .col(col("target").string())
            .col(col("count").big_integer())
            .primary_key(Index::create().col("day").col("engine").col("version").col("target"))
            .to_owned();
        create(manager, vec![counts]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["download_counts"]).await
    }
}
