//! Revocation lists as they were signed: one that was given out is given out again, whatever key signs by then.

use sea_orm_migration::{async_trait, prelude::*};

use super::{col, create, drop_all};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let lists = Table::create()
            .table("revocation_lists")
            .col(col("sequence").big_integer().primary_key())
            .col(col("content").string())
            .col(col("signed").text())
            .col(col("issued_at").timestamp_with_time_zone())
            .to_owned();
        create(manager, vec![lists]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["revocation_lists"]).await
    }
}
