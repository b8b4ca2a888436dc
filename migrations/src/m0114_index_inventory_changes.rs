//! Changes of the whole fleet in the order they came, and of one section of one machine.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

const INDEXES: [(&str, &[&str]); 3] = [
    ("inventory_changes_at", &["at", "id"]),
    ("inventory_changes_section", &["section", "at", "id"]),
    ("inventory_changes_machine_section", &["machine_id", "section", "id"]),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, columns) in INDEXES {
            let mut index = Index::create().name(name).table("inventory_changes").to_owned();
            for column in columns {
                index.col(*column);
            }
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, _) in INDEXES {
            manager.drop_index(Index::drop().name(name).table("inventory_changes").to_owned()).await?;
        }
        Ok(())
    }
}
