//! How the tables came about. Frozen once released.

mod m0001_create_notes;

use plugin_sdk::Migration;

/// Every migration, in order.
pub fn all() -> Vec<Migration> {
    vec![Migration::new("m0001_create_notes", m0001_create_notes::up)]
}
