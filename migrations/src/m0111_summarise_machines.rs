//! What lists sort and selectors ask most, kept beside the machine: updates, security updates, a wanted reboot.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Indexes of lists; the id makes each order whole.
const INDEXES: [(&str, &[&str]); 5] = [
    ("machines_updates", &["updates", "id"]),
    ("machines_security_updates", &["security_updates", "id"]),
    ("machines_reboot_required", &["reboot_required", "id"]),
    ("machines_last_seen_at", &["last_seen_at", "id"]),
    ("machines_os", &["os_id", "os_version", "id"]),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let number = |name: &'static str| ColumnDef::new(name).integer().not_null().default(0).to_owned();
        let columns = [
            number("updates"),
            number("security_updates"),
            ColumnDef::new("reboot_required").boolean().not_null().default(false).to_owned(),
        ];
        for column in columns {
            manager.alter_table(Table::alter().table("machines").add_column(column).to_owned()).await?;
        }
        for (name, columns) in INDEXES {
            let mut index = Index::create().name(name).table("machines").to_owned();
            for column in columns {
                index.col(*column);
            }
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, _) in INDEXES {
            manager.drop_index(Index::drop().name(name).table("machines").to_owned()).await?;
        }
        for column in ["updates", "security_updates", "reboot_required"] {
            manager.alter_table(Table::alter().table("machines").drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
