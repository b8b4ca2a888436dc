//! Roles: named sets of permissions, each with a scope of machines, and who has them.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("roles")
                    .col(ColumnDef::new("id").uuid().not_null().primary_key())
                    .col(ColumnDef::new("name").string().not_null().unique_key())
                    .col(ColumnDef::new("description").string().not_null())
                    .col(ColumnDef::new("built_in").boolean().not_null())
                    .col(ColumnDef::new("permissions").json_binary().not_null())
                    .col(ColumnDef::new("scope").string().not_null())
                    .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
                    .col(ColumnDef::new("updated_at").timestamp_with_time_zone().not_null())
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("user_roles")
                    .col(ColumnDef::new("user_id").uuid().not_null())
                    .col(ColumnDef::new("role_id").uuid().not_null())
                    .primary_key(Index::create().col("user_id").col("role_id"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("user_roles", "user_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from("user_roles", "role_id")
                            .to("roles", "id")
                            .on_delete(ForeignKeyAction::Restrict),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create().name("user_roles_role_id").table("user_roles").col("role_id").to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("user_roles").to_owned()).await?;
        manager.drop_table(Table::drop().table("roles").to_owned()).await
    }
}
