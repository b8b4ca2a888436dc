//! How the tables came about. Frozen once released.

mod m0001_create_ledger;
mod m0002_create_usage;
mod m0003_create_notices;
mod m0004_create_renewals;

use plugin_sdk::Migration;

/// Every migration, in order.
pub fn all() -> Vec<Migration> {
    vec![
        Migration::new("m0001_create_ledger", m0001_create_ledger::up),
        Migration::new("m0002_create_usage", m0002_create_usage::up),
        Migration::new("m0003_create_notices", m0003_create_notices::up),
        Migration::new("m0004_create_renewals", m0004_create_renewals::up),
    ]
}
