//! The ledger.

use plugin_sdk::Schema;
use sea_orm::sea_query::{ColumnDef, Table};

/// Create.
pub fn up(schema: &mut Schema) {
    schema.run(
        Table::create()
            .table("proplus_core_ledger")
            .col(ColumnDef::new("seq").big_integer().not_null().primary_key())
            .col(ColumnDef::new("at").text().not_null())
            .col(ColumnDef::new("kind").text().not_null())
            .col(ColumnDef::new("data").text().not_null())
            .col(ColumnDef::new("previous").text().not_null())
            .col(ColumnDef::new("hash").text().not_null()),
    );
}
