//! The host's schema: one change a file, in order, for SQLite and PostgreSQL.
//!
//! Migrations expand, then contract; they are frozen after merge and never import an entity. To add one, write
//! `src/m<number>_<what>.rs` and add its name to the list below. Numbers: 00xx users, settings and audit;
//! 01xx machines; 02xx operations; 03xx engines; 04xx licences; 05xx agent releases; 06xx marketplace. Only the order of the list counts, and new names
//! go to the end of their block: a database that lacks one in the middle gets it at the next start.

pub use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// Declares the modules and lists them in order.
macro_rules! migrations {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*

        /// Every migration of the host, in order.
        pub struct Migrator;

        #[async_trait::async_trait]
        impl MigratorTrait for Migrator {
            fn migrations() -> Vec<Box<dyn MigrationTrait>> {
                vec![$(Box::new($name::Migration)),*]
            }
        }
    };
}
use sea_orm_migration::async_trait;

migrations! {
    m0001_create_users,
    m0002_create_roles,
    m0003_create_sessions,
    m0004_create_api_tokens,
    m0005_create_audit_log,
    m0006_create_secrets,
    m0007_create_settings,
    m0008_create_notifications,
    m0009_create_idempotency_keys,
    m0010_add_user_profile,
    m0011_create_invitations,
    m0012_create_login_flows,
    m0013_create_user_totp,
    m0014_create_password_history,
    m0015_create_user_identities,
    m0016_add_audit_outcome,
    m0017_add_token_scope,
    m0018_add_session_method,
    m0019_add_role_totp,
    m0101_create_enrolment_tokens,
    m0102_create_machines,
    m0103_create_machine_tags,
    m0104_create_inventory_sections,
    m0105_create_inventory_changes,
    m0106_create_machine_engines,
    m0110_number_machines,
    m0111_summarise_machines,
    m0112_create_software,
    m0113_create_machine_items,
    m0114_index_inventory_changes,
    m0115_index_software_names,
    m0116_create_inventory_views,
    m0120_create_saved_searches,
    m0121_create_machine_addresses,
    m0122_add_version_keys,
    m0123_index_what_selectors_ask,
    m0130_create_machine_metrics,
    m0131_create_metric_blocks,
    m0124_create_tags,
    m0125_add_token_conditions,
    m0126_search_inventory,
    m0127_add_hardware_and_staleness,
    m0128_create_fleet_samples,
    m0201_create_operations,
    m0202_create_operation_tasks,
    m0203_create_task_outputs,
    m0301_create_engines,
    m0302_create_engine_versions,
    m0303_create_engine_grants,
    m0304_create_engine_jobs,
    m0305_create_engine_outbox,
    m0401_create_license_state,
    m0501_create_agent_releases,
    m0502_create_agent_rollouts,
    m0601_create_marketplace_state,
    m0602_create_marketplace_downloads,
    m0603_create_usage_receipts,
}
