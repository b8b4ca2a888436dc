//! Renewals without a network.

use plugin_sdk::Schema;
use sea_orm::sea_query::{ColumnDef, Table};

/// Create.
pub fn up(schema: &mut Schema) {
    schema.run(
        Table::create()
            .table("proplus_core_renewals")
            .col(ColumnDef::new("id").uuid().not_null().primary_key())
            .col(ColumnDef::new("actor_name").text().not_null())
            .col(ColumnDef::new("digest").text().not_null())
            .col(ColumnDef::new("request").text().not_null())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("answered_at").timestamp_with_time_zone()),
    );
}
