//! Versions of engines, and the package files that hold them.

use sea_orm_migration::{async_trait, prelude::*};

use super::{belongs, col, create, drop_all, index};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let releases = Table::create()
            .table("releases")
            .col(col("id").uuid().primary_key())
            .col(col("engine").string())
            .col(col("version").string())
            .col(col("name").string())
            .col(col("description").string())
            .col(col("publisher").string())
            .col(col("tier").string())
            .col(ColumnDef::new("entitlement").string().null())
            .col(col("channel").string())
            .col(col("requires").json_binary())
            .col(col("notes").text())
            .col(col("built_at").timestamp_with_time_zone())
            .col(col("published_at").timestamp_with_time_zone())
            .col(ColumnDef::new("yanked_at").timestamp_with_time_zone().null())
            .col(ColumnDef::new("yank_reason").string().null())
            .to_owned();
        let files = Table::create()
            .table("release_files")
            .col(col("release_id").uuid())
            .col(col("target").string())
            .col(col("sha256").string())
            .col(col("size").big_integer())
            .primary_key(Index::create().col("release_id").col("target"))
            .foreign_key(&mut belongs("release_files", "release_id", "releases"))
            .to_owned();
        create(manager, vec![releases, files]).await?;
        let unique = index("releases_engine_version", "releases", &["engine", "version"]);
        manager.create_index(unique.to_owned().unique().to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["release_files", "releases"]).await
    }
}
