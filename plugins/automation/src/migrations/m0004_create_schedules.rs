//! Schedules.

use plugin_sdk::{
    Schema,
    sea_orm::sea_query::{ColumnDef, Index, Table},
};

pub(super) fn up(schema: &mut Schema) {
    schema.run(
        Table::create()
            .table("automation_schedules")
            .col(ColumnDef::new("id").uuid().primary_key().not_null())
            .col(ColumnDef::new("name").text().not_null())
            .col(ColumnDef::new("script_id").uuid().not_null())
            .col(ColumnDef::new("version").integer())
            .col(ColumnDef::new("rule").text().not_null())
            .col(ColumnDef::new("selector").text().not_null())
            .col(ColumnDef::new("machine_ids").text().not_null())
            .col(ColumnDef::new("parameters").text().not_null())
            .col(ColumnDef::new("concurrency").integer().not_null())
            .col(ColumnDef::new("timeout_s").integer().not_null())
            .col(ColumnDef::new("queue_timeout_s").integer().not_null())
            .col(ColumnDef::new("overlap").text().not_null())
            .col(ColumnDef::new("missed").text().not_null())
            .col(ColumnDef::new("enabled").boolean().not_null())
            .col(ColumnDef::new("actor").text().not_null())
            .col(ColumnDef::new("actor_name").text().not_null())
            .col(ColumnDef::new("principal").text().not_null())
            .col(ColumnDef::new("scope").text().not_null())
            .col(ColumnDef::new("roles").text().not_null())
            .col(ColumnDef::new("next_at").timestamp_with_time_zone())
            .col(ColumnDef::new("waiting").text())
            .col(ColumnDef::new("last_run_id").uuid())
            .col(ColumnDef::new("last_due_at").timestamp_with_time_zone())
            .col(ColumnDef::new("last_outcome").text())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("updated_at").timestamp_with_time_zone().not_null()),
    );
    schema.run(
        Index::create()
            .name("automation_schedules_script")
            .table("automation_schedules")
            .col("script_id")
            .col("id"),
    );
}
