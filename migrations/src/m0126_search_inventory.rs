//! What selectors ask of inventories: packages with their versions, services, ports, accounts, certificates, and what
//! a machine runs inside of.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub struct Migration;

const INDEXES: [(&str, &str); 2] = [
    ("machine_items_name_lower", "machine_items (kind, NAME, machine_no)"),
    ("software_titles_name_lower", "software_titles (NAME, id)"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        let key = Table::alter()
            .table("software")
            .add_column(ColumnDef::new("version_key").binary().null())
            .to_owned();
        manager.alter_table(key).await?;
        let (name, virtualization) = match postgres {
            true => ("lower(name COLLATE \"C\")", "s.data->>'virtualization'"),
            false => ("lower(name)", "json_extract(s.data, '$.virtualization')"),
        };
        for (index, on) in INDEXES {
            db.execute_unprepared(&format!("CREATE INDEX {index} ON {}", on.replace("NAME", name))).await?;
        }
        // Sections that do not change again would never be looked at.
        let known = format!(
            "INSERT INTO machine_items (machine_no, kind, key, name, detail) \
             SELECT m.no, 'virtual', 'virtualization', lower({virtualization}), '' \
             FROM inventory_sections s JOIN machines m ON m.id = s.machine_id \
             WHERE s.name = 'os' AND m.no IS NOT NULL AND {virtualization} IS NOT NULL"
        );
        db.execute_unprepared(&known).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared("DELETE FROM machine_items WHERE kind = 'virtual'").await?;
        for (index, _) in INDEXES {
            db.execute_unprepared(&format!("DROP INDEX {index}")).await?;
        }
        manager.alter_table(Table::alter().table("software").drop_column("version_key").to_owned()).await
    }
}
