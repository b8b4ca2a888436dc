//! Indexes of what selectors compare: text in lower case, in the order of bytes, and instants.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TEXTS: [(&str, &str); 7] = [
    ("machines", "name"),
    ("machines", "hostname"),
    ("machines", "os_family"),
    ("machines", "os_id"),
    ("machines", "os_name"),
    ("machine_tags", "tag"),
    ("machine_addresses", "address"),
];
const INSTANTS: [&str; 1] = ["created_at"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        for (table, column) in TEXTS {
            let key = match manager.get_database_backend() {
                DbBackend::Postgres => format!("lower({column} COLLATE \"C\")"),
                _ => format!("lower({column})"),
            };
            let id = if table == "machines" { "id" } else { "machine_id" };
            let index = format!("CREATE INDEX {table}_{column}_lower ON {table} ({key}, {id})");
            connection.execute_unprepared(&index).await?;
        }
        for column in INSTANTS {
            let index = Index::create()
                .name(format!("machines_{column}"))
                .table("machines")
                .col(column)
                .col("id")
                .to_owned();
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let texts = TEXTS.iter().map(|(table, column)| format!("{table}_{column}_lower"));
        for name in texts.chain(INSTANTS.iter().map(|column| format!("machines_{column}"))) {
            manager.drop_index(Index::drop().name(name).to_owned()).await?;
        }
        Ok(())
    }
}
