//! People who sign in: customers, and the vendor's staff.

use sea_orm_migration::{async_trait, prelude::*};

use super::{col, create, drop_all};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let users = Table::create()
            .table("users")
            .col(col("id").uuid().primary_key())
            .col(col("email").string().unique_key())
            .col(col("name").string())
            .col(col("password_hash").string())
            .col(col("staff").boolean())
            .col(col("failed_logins").integer())
            .col(ColumnDef::new("locked_until").timestamp_with_time_zone().null())
            .col(col("created_at").timestamp_with_time_zone())
            .to_owned();
        create(manager, vec![users]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["users"]).await
    }
}
