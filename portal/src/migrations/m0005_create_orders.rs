//! Orders, and what happened to them. Events are only ever added.

use sea_orm_migration::{async_trait, prelude::*};

use super::{belongs, col, create, drop_all, index};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let orders = Table::create()
            .table("orders")
            .col(col("id").uuid().primary_key())
            .col(col("number").string().unique_key())
            .col(col("organisation_id").uuid())
            .col(col("license_id").string().unique_key())
            .col(col("created_at").timestamp_with_time_zone())
            .foreign_key(
                ForeignKey::create()
                    .from("orders", "organisation_id")
                    .to("organisations", "id")
                    .on_delete(ForeignKeyAction::Restrict),
            )
            .to_owned();
        let events = Table::create()
            .table("order_events")
            .col(col("order_id").uuid())
            .col(col("event_id").string())
            .col(col("at").timestamp_with_time_zone())
            .col(col("recorded_at").timestamp_with_time_zone())
            .col(col("actor").string())
            .col(col("kind").string())
            .col(col("body").json_binary())
            .primary_key(Index::create().col("order_id").col("event_id"))
            .foreign_key(&mut belongs("order_events", "order_id", "orders"))
            .to_owned();
        create(manager, vec![orders, events]).await?;
        manager.create_index(index("orders_organisation_id", "orders", &["organisation_id"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["order_events", "orders"]).await
    }
}
