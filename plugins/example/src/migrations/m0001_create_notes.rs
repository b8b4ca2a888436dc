//! The table of notes.

use plugin_sdk::Schema;
use sea_orm::sea_query::{ColumnDef, Index, Table};

/// Create it.
pub fn up(schema: &mut Schema) {
    schema.run(
        Table::create()
            .table("example_notes")
            .col(ColumnDef::new("id").uuid().not_null().primary_key())
            .col(ColumnDef::new("title").text().not_null())
            .col(ColumnDef::new("body").text().not_null())
            .col(ColumnDef::new("done").boolean().not_null().default(false))
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("updated_at").timestamp_with_time_zone().not_null()),
    );
    schema.run(Index::create().name("example_notes_title").table("example_notes").col("title").unique());
}
