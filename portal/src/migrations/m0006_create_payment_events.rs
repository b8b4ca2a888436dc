//! Webhooks of the payment service as they came, and which of its ids belong to which order.

use sea_orm_migration::{async_trait, prelude::*};

use super::{belongs, col, create, drop_all, index};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let events = Table::create()
            .table("payment_events")
            .col(col("id").string().primary_key())
            .col(col("kind").string())
            .col(col("state").string())
            .col(col("body").text())
            .col(col("received_at").timestamp_with_time_zone())
            .to_owned();
        let references = Table::create()
            .table("payment_references")
            .col(col("reference").string().primary_key())
            .col(col("order_id").uuid())
            .col(ColumnDef::new("payment").string().null())
            .foreign_key(&mut belongs("payment_references", "order_id", "orders"))
            .to_owned();
        create(manager, vec![events, references]).await?;
        manager.create_index(index("payment_events_state", "payment_events", &["state"])).await?;
        manager.create_index(index("payment_references_order_id", "payment_references", &["order_id"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["payment_references", "payment_events"]).await
    }
}
