//! Approvals.

use plugin_sdk::{
    Schema,
    sea_orm::sea_query::{ColumnDef, Index, Table},
};

pub(super) fn up(schema: &mut Schema) {
    schema.run(
        Table::create()
            .table("automation_approvals")
            .col(ColumnDef::new("id").uuid().primary_key().not_null())
            .col(ColumnDef::new("run_id").uuid().not_null().unique_key())
            .col(ColumnDef::new("script_id").uuid().not_null())
            .col(ColumnDef::new("state").text().not_null())
            .col(ColumnDef::new("binding").text().not_null())
            .col(ColumnDef::new("fingerprint").text().not_null())
            .col(ColumnDef::new("values_digest").text().not_null())
            .col(ColumnDef::new("targets_digest").text().not_null())
            .col(ColumnDef::new("requested_by").text().not_null())
            .col(ColumnDef::new("requested_by_name").text().not_null())
            .col(ColumnDef::new("justification").text().not_null())
            .col(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("expires_at").timestamp_with_time_zone().not_null())
            .col(ColumnDef::new("decided_by").text())
            .col(ColumnDef::new("decided_by_name").text())
            .col(ColumnDef::new("decided_at").timestamp_with_time_zone())
            .col(ColumnDef::new("reason").text()),
    );
    schema.run(
        Index::create()
            .name("automation_approvals_state")
            .table("automation_approvals")
            .col("state")
            .col("id"),
    );
}
