//! Machines a day, and what engines were last granted.

use plugin_sdk::Schema;
use sea_orm::sea_query::{ColumnDef, Table};

/// Create.
pub fn up(schema: &mut Schema) {
    schema.run(
        Table::create()
            .table("proplus_core_usage")
            .col(ColumnDef::new("day").text().not_null().primary_key())
            .col(ColumnDef::new("peak").big_integer().not_null())
            .col(ColumnDef::new("last").big_integer().not_null())
            .col(ColumnDef::new("machine_limit").big_integer())
            .col(ColumnDef::new("seen_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("in_ledger").boolean().not_null().default(false)),
    );
    schema.run(
        Table::create()
            .table("proplus_core_standings")
            .col(ColumnDef::new("engine").text().not_null().primary_key())
            .col(ColumnDef::new("state").text().not_null())
            .col(ColumnDef::new("code").text().not_null())
            .col(ColumnDef::new("since").timestamp_with_time_zone().not_null()),
    );
}
