//! Newest figures of each machine, one column each: what selectors and rankings compare.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Figures that machines are chosen and ranked by have an index.
const INDEXED: &[&str] = &[
    "cpu_percent",
    "load1",
    "memory_used_percent",
    "swap_used_percent",
    "disk_used_percent",
    "disk_inodes_percent",
    "temperature_c",
    "uptime_s",
];

const OTHERS: &[&str] = &[
    "load5",
    "load15",
    "memory_total_bytes",
    "memory_available_bytes",
    "disk_read_bps",
    "disk_write_bps",
    "net_received_bps",
    "net_sent_bps",
    "pressure_cpu_percent",
    "pressure_memory_percent",
    "pressure_io_percent",
    "processes",
    "users",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::create();
        table
            .table("machine_metrics")
            .col(ColumnDef::new("machine_id").uuid().not_null().primary_key())
            .col(ColumnDef::new("at").timestamp_with_time_zone().not_null())
            .foreign_key(
                ForeignKey::create()
                    .from("machine_metrics", "machine_id")
                    .to("machines", "id")
                    .on_delete(ForeignKeyAction::Cascade),
            );
        for name in INDEXED.iter().chain(OTHERS) {
            table.col(ColumnDef::new(*name).double().null());
        }
        manager.create_table(table.to_owned()).await?;
        for name in INDEXED {
            let index = Index::create()
                .name(format!("machine_metrics_{name}"))
                .table("machine_metrics")
                .col(*name)
                .col("machine_id")
                .to_owned();
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("machine_metrics").to_owned()).await
    }
}
