//! Pictures of engines.

use sea_orm_migration::{async_trait, prelude::*};

use super::{col, create, drop_all, index};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let screenshots = Table::create()
            .table("screenshots")
            .col(col("engine").string())
            .col(col("sha256").string())
            .col(col("kind").string())
            .col(col("caption").string())
            .col(col("width").integer())
            .col(col("height").integer())
            .col(col("size").big_integer())
            .col(col("added_at").timestamp_with_time_zone())
            .primary_key(Index::create().col("engine").col("sha256"))
            .to_owned();
        create(manager, vec![screenshots]).await?;
        manager.create_index(index("screenshots_sha256", "screenshots", &["sha256"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["screenshots"]).await
    }
}
