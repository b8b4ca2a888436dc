//! What is distributed through TUF: signed metadata by name, and the vendor's documents by digest.

use sea_orm_migration::{async_trait, prelude::*};

use super::{col, create, drop_all, index};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let metadata = Table::create()
            .table("tuf_metadata")
            .col(col("name").string().primary_key())
            .col(col("role").string())
            .col(col("version").big_integer())
            .col(col("content").binary())
            .col(col("written_at").timestamp_with_time_zone())
            .to_owned();
        let documents = Table::create()
            .table("tuf_documents")
            .col(col("sha256").string().primary_key())
            .col(col("name").string())
            .col(col("content").binary())
            .col(col("written_at").timestamp_with_time_zone())
            .to_owned();
        create(manager, vec![metadata, documents]).await?;
        manager.create_index(index("tuf_metadata_role", "tuf_metadata", &["role", "version"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["tuf_documents", "tuf_metadata"]).await
    }
}
