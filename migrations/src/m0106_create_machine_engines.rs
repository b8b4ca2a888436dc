//! What became of engines on machines, as their agents say.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("machine_engines")
                    .col(ColumnDef::new("machine_id").uuid().not_null())
                    .col(ColumnDef::new("engine_id").string().not_null())
                    .col(ColumnDef::new("version").string().not_null())
                    .col(ColumnDef::new("state").string().not_null())
                    .col(ColumnDef::new("code").string().not_null())
                    .col(ColumnDef::new("message").text().not_null())
                    .col(ColumnDef::new("updated_at").timestamp_with_time_zone().not_null())
                    .primary_key(Index::create().col("machine_id").col("engine_id"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("machine_engines", "machine_id")
                            .to("machines", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("machine_engines").to_owned()).await
    }
}
