//! Hosts that called, and the usage receipts they handed in.

use sea_orm_migration::{async_trait, prelude::*};

use super::{belongs, col, create, drop_all, index};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let contacts = Table::create()
            .table("host_contacts")
            .col(col("license_id").string())
            .col(col("instance").string())
            .col(col("organisation_id").uuid())
            .col(col("host_version").string())
            .col(col("engines").json_binary())
            .col(col("first_at").timestamp_with_time_zone())
            .col(col("last_at").timestamp_with_time_zone())
            .primary_key(Index::create().col("license_id").col("instance"))
            .foreign_key(&mut belongs("host_contacts", "organisation_id", "organisations"))
            .to_owned();
        let receipts = Table::create()
            .table("usage_receipts")
            .col(col("license_id").string())
            .col(col("instance").string())
            .col(col("sequence").big_integer())
            .col(col("organisation_id").uuid())
            .col(col("period_from").timestamp_with_time_zone())
            .col(col("period_until").timestamp_with_time_zone())
            .col(col("machines").big_integer())
            .col(col("child_machines").big_integer())
            .col(col("receipt").text())
            .col(col("countersigned").text())
            .col(col("received_at").timestamp_with_time_zone())
            .primary_key(Index::create().col("license_id").col("instance").col("sequence"))
            .foreign_key(&mut belongs("usage_receipts", "organisation_id", "organisations"))
            .to_owned();
        create(manager, vec![contacts, receipts]).await?;
        let of = ["organisation_id"];
        manager.create_index(index("host_contacts_organisation_id", "host_contacts", &of)).await?;
        manager.create_index(index("usage_receipts_organisation_id", "usage_receipts", &of)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["usage_receipts", "host_contacts"]).await
    }
}
