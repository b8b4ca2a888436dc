//! Read-only views for engines: installed software and available updates per machine.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

const VIEWS: [&str; 2] = [
    "CREATE VIEW v1_software AS \
     SELECT m.id AS machine_id, t.manager, t.name, s.version, s.arch \
     FROM machines m JOIN machine_software l ON l.machine_no = m.no \
     JOIN software s ON s.id = l.entry_id JOIN software_titles t ON t.id = s.title_id",
    "CREATE VIEW v1_updates AS \
     SELECT m.id AS machine_id, u.manager, u.name, u.version, u.arch, u.security \
     FROM machines m JOIN machine_updates l ON l.machine_no = m.no JOIN updates u ON u.id = l.entry_id",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for view in VIEWS {
            manager.get_connection().execute_unprepared(view).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for view in ["v1_updates", "v1_software"] {
            manager.get_connection().execute_unprepared(&format!("DROP VIEW {view}")).await?;
        }
        Ok(())
    }
}
