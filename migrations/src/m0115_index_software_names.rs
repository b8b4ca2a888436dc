//! Titles by name alone; on PostgreSQL machines by their last sign of life, those without one first.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared("CREATE INDEX software_titles_by_name ON software_titles (name)").await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            let index = "CREATE INDEX machines_last_seen_first ON machines (last_seen_at NULLS FIRST, id)";
            db.execute_unprepared(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared("DROP INDEX software_titles_by_name").await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            db.execute_unprepared("DROP INDEX machines_last_seen_first").await?;
        }
        Ok(())
    }
}
