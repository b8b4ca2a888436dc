//! Enrolment tokens: networks within which they approve, and when they were last used.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            ColumnDef::new("approve_networks").json_binary().null().to_owned(),
            ColumnDef::new("last_used_at").timestamp_with_time_zone().null().to_owned(),
        ];
        for column in columns {
            let table = Table::alter().table("enrolment_tokens").add_column(column).to_owned();
            manager.alter_table(table).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["approve_networks", "last_used_at"] {
            let table = Table::alter().table("enrolment_tokens").drop_column(column).to_owned();
            manager.alter_table(table).await?;
        }
        Ok(())
    }
}
