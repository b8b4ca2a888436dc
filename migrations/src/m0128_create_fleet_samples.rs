//! The fleet over time, for the overview's trend.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

const COUNTS: [&str; 6] = ["machines", "online", "reboot", "updates", "security", "pending"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::create();
        // Seconds since the Unix epoch: times of a sample are compared by their remainder.
        table
            .table("fleet_samples")
            .col(ColumnDef::new("at_s").big_integer().not_null().primary_key());
        for count in COUNTS {
            table.col(ColumnDef::new(count).big_integer().not_null());
        }
        manager.create_table(table.to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("fleet_samples").to_owned()).await
    }
}
