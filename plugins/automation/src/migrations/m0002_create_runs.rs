//! Runs and their targets.

use plugin_sdk::{
    Schema,
    sea_orm::sea_query::{ColumnDef, Index, Table},
};

pub(super) fn up(schema: &mut Schema) {
    runs(schema);
    run_indexes(schema);
    targets(schema);
}

fn runs(schema: &mut Schema) {
    schema.run(
        Table::create()
            .table("automation_runs")
            .col(ColumnDef::new("id").uuid().primary_key().not_null())
            .col(ColumnDef::new("script_id").uuid().not_null())
            .col(ColumnDef::new("version_id").uuid().not_null())
            .col(ColumnDef::new("version_number").integer().not_null())
            .col(ColumnDef::new("script_name").text().not_null())
            .col(ColumnDef::new("state").text().not_null())
            .col(ColumnDef::new("check_only").boolean().not_null())
            .col(ColumnDef::new("operation_id").text())
            .col(ColumnDef::new("actor").text().not_null())
            .col(ColumnDef::new("actor_name").text().not_null())
            .col(ColumnDef::new("principal").text().not_null())
            .col(ColumnDef::new("scope").text().not_null())
            .col(ColumnDef::new("request_id").text().not_null())
            .col(ColumnDef::new("selector").text().not_null())
            .col(ColumnDef::new("parameters").text().not_null())
            .col(ColumnDef::new("concurrency").integer().not_null())
            .col(ColumnDef::new("timeout_s").integer().not_null())
            .col(ColumnDef::new("queue_timeout_s").integer().not_null())
            .col(ColumnDef::new("not_before").timestamp_with_time_zone())
            .col(ColumnDef::new("not_after").timestamp_with_time_zone())
            .col(ColumnDef::new("retry_of").uuid())
            .col(ColumnDef::new("schedule_id").uuid())
            .col(ColumnDef::new("idempotency").text().unique_key())
            .col(ColumnDef::new("request_digest").text().not_null())
            .col(ColumnDef::new("targets").big_integer().not_null())
            .col(ColumnDef::new("queued").big_integer().not_null())
            .col(ColumnDef::new("dispatched").big_integer().not_null())
            .col(ColumnDef::new("running").big_integer().not_null())
            .col(ColumnDef::new("succeeded").big_integer().not_null())
            .col(ColumnDef::new("failed").big_integer().not_null())
            .col(ColumnDef::new("timed_out").big_integer().not_null())
            .col(ColumnDef::new("no_answer").big_integer().not_null())
            .col(ColumnDef::new("never_dispatched").big_integer().not_null())
            .col(ColumnDef::new("cancelled").big_integer().not_null())
            .col(ColumnDef::new("reason").text())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("started_at").timestamp_with_time_zone())
            .col(ColumnDef::new("finished_at").timestamp_with_time_zone()),
    );
}

fn run_indexes(schema: &mut Schema) {
    schema.run(
        Index::create().name("automation_runs_script").table("automation_runs").col("script_id").col("id"),
    );
    schema.run(Index::create().name("automation_runs_state").table("automation_runs").col("state").col("id"));
    schema
        .run(Index::create().name("automation_runs_operation").table("automation_runs").col("operation_id"));
    schema.run(
        Index::create()
            .name("automation_runs_schedule")
            .table("automation_runs")
            .col("schedule_id")
            .col("id"),
    );
    schema.run(Index::create().name("automation_runs_created").table("automation_runs").col("created_at"));
}

fn targets(schema: &mut Schema) {
    schema.run(
        Table::create()
            .table("automation_run_targets")
            .col(ColumnDef::new("id").uuid().primary_key().not_null())
            .col(ColumnDef::new("run_id").uuid().not_null())
            .col(ColumnDef::new("machine_id").uuid().not_null())
            .col(ColumnDef::new("machine_name").text().not_null())
            .col(ColumnDef::new("task_id").text())
            .col(ColumnDef::new("state").text().not_null())
            .col(ColumnDef::new("exit_code").integer())
            .col(ColumnDef::new("signal").integer())
            .col(ColumnDef::new("duration_ms").big_integer())
            .col(ColumnDef::new("stdout_bytes").big_integer())
            .col(ColumnDef::new("stderr_bytes").big_integer())
            .col(ColumnDef::new("truncated").boolean().not_null())
            .col(ColumnDef::new("digest").text())
            .col(ColumnDef::new("error_code").text())
            .col(ColumnDef::new("error_message").text())
            .col(ColumnDef::new("dispatched_at").timestamp_with_time_zone())
            .col(ColumnDef::new("started_at").timestamp_with_time_zone())
            .col(ColumnDef::new("finished_at").timestamp_with_time_zone()),
    );
    schema.run(
        Index::create()
            .name("automation_run_targets_machine")
            .table("automation_run_targets")
            .col("run_id")
            .col("machine_id")
            .unique(),
    );
    schema.run(
        Index::create()
            .name("automation_run_targets_state")
            .table("automation_run_targets")
            .col("run_id")
            .col("state"),
    );
    schema.run(
        Index::create()
            .name("automation_run_targets_history")
            .table("automation_run_targets")
            .col("machine_id")
            .col("id"),
    );
}
