//! Invitations: a link makes one user; only the hash of its token is kept.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("invitations")
                    .col(ColumnDef::new("id").uuid().not_null().primary_key())
                    .col(ColumnDef::new("token_hash").string().not_null().unique_key())
                    .col(ColumnDef::new("email").string().null())
                    .col(ColumnDef::new("name").string().null())
                    .col(ColumnDef::new("display_name").string().null())
                    .col(ColumnDef::new("roles").json_binary().not_null())
                    .col(ColumnDef::new("created_by").string().not_null())
                    .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
                    .col(ColumnDef::new("expires_at").timestamp_with_time_zone().not_null())
                    .to_owned(),
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("invitations").to_owned()).await?;
        Ok(())
    }
}
