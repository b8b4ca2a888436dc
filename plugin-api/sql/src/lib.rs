//! SQL for engines over the host's database: a guard over every statement, typed values, transactions by
//! number, migrations with a ledger.
//!
//! An engine reaches its own tables and the views granted to it, nothing else. [`Database`] is made once by
//! the host, [`Database::engine`] gives each engine its [`EngineSql`].

mod database;
mod engine;
mod error;
mod export;
pub mod guard;
mod ledger;
mod limits;
mod postgres;
mod rows;
mod service;
mod sqlite;
mod transactions;
mod values;

pub use database::Database;
pub use engine::EngineSql;
pub use error::SqlError;
pub use ledger::MigrationReport;
pub use limits::Limits;
