//! The engine's tables, one change a file, frozen once released.

mod m0001_create_scripts;
mod m0002_create_runs;
mod m0003_create_approvals;
mod m0004_create_schedules;

use plugin_sdk::Migration;

/// Every migration, in order.
pub fn all() -> Vec<Migration> {
    vec![
        Migration::new("m0001_create_scripts", m0001_create_scripts::up),
        Migration::new("m0002_create_runs", m0002_create_runs::up),
        Migration::new("m0003_create_approvals", m0003_create_approvals::up),
        Migration::new("m0004_create_schedules", m0004_create_schedules::up),
    ]
}
