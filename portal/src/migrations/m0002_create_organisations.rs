//! Customers: organisations, their members, and invitations.

use sea_orm_migration::{async_trait, prelude::*};

use super::{belongs, col, create, drop_all, index};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let organisations = Table::create()
            .table("organisations")
            .col(col("id").uuid().primary_key())
            .col(col("number").string().unique_key())
            .col(col("name").string())
            .col(col("created_at").timestamp_with_time_zone())
            .to_owned();
        let members = Table::create()
            .table("members")
            .col(col("organisation_id").uuid())
            .col(col("user_id").uuid())
            .col(col("role").string())
            .col(col("created_at").timestamp_with_time_zone())
            .primary_key(Index::create().col("organisation_id").col("user_id"))
            .foreign_key(&mut belongs("members", "organisation_id", "organisations"))
            .foreign_key(&mut belongs("members", "user_id", "users"))
            .to_owned();
        let invitations = Table::create()
            .table("invitations")
            .col(col("id").uuid().primary_key())
            .col(col("organisation_id").uuid())
            .col(col("email").string())
            .col(col("role").string())
            .col(col("token_hash").string().unique_key())
            .col(col("created_at").timestamp_with_time_zone())
            .col(col("expires_at").timestamp_with_time_zone())
            .foreign_key(&mut belongs("invitations", "organisation_id", "organisations"))
            .to_owned();
        create(manager, vec![organisations, members, invitations]).await?;
        manager.create_index(index("members_user_id", "members", &["user_id"])).await?;
        manager.create_index(index("invitations_organisation_id", "invitations", &["organisation_id"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["invitations", "members", "organisations"]).await
    }
}
