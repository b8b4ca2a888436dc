//! Notifications to one user, or to all who hold a permission, or to everybody; and who has read them.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("notifications")
                    .col(ColumnDef::new("id").uuid().not_null().primary_key())
                    .col(ColumnDef::new("at").timestamp_with_time_zone().not_null())
                    .col(ColumnDef::new("user_id").uuid().null())
                    .col(ColumnDef::new("permission").string().null())
                    .col(ColumnDef::new("source").string().not_null())
                    .col(ColumnDef::new("level").string().not_null())
                    .col(ColumnDef::new("title").string().not_null())
                    .col(ColumnDef::new("body").text().not_null())
                    .col(ColumnDef::new("link").string().null())
                    .foreign_key(
                        ForeignKey::create()
                            .from("notifications", "user_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("notification_reads")
                    .col(ColumnDef::new("notification_id").uuid().not_null())
                    .col(ColumnDef::new("user_id").uuid().not_null())
                    .col(ColumnDef::new("at").timestamp_with_time_zone().not_null())
                    .primary_key(Index::create().col("notification_id").col("user_id"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("notification_reads", "notification_id")
                            .to("notifications", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from("notification_reads", "user_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("notification_reads").to_owned()).await?;
        manager.drop_table(Table::drop().table("notifications").to_owned()).await
    }
}
