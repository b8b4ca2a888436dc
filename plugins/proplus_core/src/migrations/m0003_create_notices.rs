//! Notices of licences that end.

use plugin_sdk::Schema;
use sea_orm::sea_query::{ColumnDef, Table};

/// Create.
pub fn up(schema: &mut Schema) {
    schema.run(
        Table::create()
            .table("proplus_core_notices")
            .col(ColumnDef::new("id").text().not_null().primary_key())
            .col(ColumnDef::new("license_id").text().not_null())
            .col(ColumnDef::new("days").big_integer().not_null())
            .col(ColumnDef::new("expires_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("sent_at").timestamp_with_time_zone()),
    );
}
