//! What a release asks of its host, and the conformance report it was published with.

use sea_orm_migration::{async_trait, prelude::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

const COLUMNS: [&str; 2] = ["asks", "conformance"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in COLUMNS {
            // On SQLite a migration is no transaction: one that was killed may have added the first.
            if !manager.has_column("releases", column).await? {
                let add = ColumnDef::new(column).json_binary().null().to_owned();
                manager.alter_table(Table::alter().table("releases").add_column(add).to_owned()).await?;
            }
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in COLUMNS {
            manager.alter_table(Table::alter().table("releases").drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
