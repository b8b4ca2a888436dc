//! Advisories, and the lowest good version of engines.

use sea_orm_migration::{async_trait, prelude::*};

use super::{col, create, drop_all, index};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let advisories = Table::create()
            .table("advisories")
            .col(col("id").string().primary_key())
            .col(col("engine").string())
            .col(col("versions").string())
            .col(col("severity").string())
            .col(col("title").string())
            .col(col("detail").text())
            .col(ColumnDef::new("fixed_in").string().null())
            .col(col("published_at").timestamp_with_time_zone())
            .col(col("changed_at").timestamp_with_time_zone())
            .col(ColumnDef::new("withdrawn_at").timestamp_with_time_zone().null())
            .to_owned();
        let floors = Table::create()
            .table("floors")
            .col(col("engine").string().primary_key())
            .col(col("version").string())
            .col(col("set_at").timestamp_with_time_zone())
            .to_owned();
        create(manager, vec![advisories, floors]).await?;
        manager.create_index(index("advisories_engine", "advisories", &["engine"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["floors", "advisories"]).await
    }
}
