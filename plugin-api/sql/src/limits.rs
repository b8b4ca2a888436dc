//! What one engine may ask of the database.

use std::time::Duration;

/// Limits, the same for every engine of a host.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Longest text of a statement, in bytes.
    pub statement_bytes: usize,
    /// Most bound values of a statement.
    pub values: usize,
    /// Most rows of one answer.
    pub rows: usize,
    /// Most bytes of one answer, counted over the values.
    pub bytes: usize,
    /// Longest run of one statement, waiting for a connection included.
    pub statement: Duration,
    /// Longest run of one migration.
    pub migration: Duration,
    /// A transaction that nobody used for so long is rolled back.
    pub idle: Duration,
    /// A transaction older than this is rolled back.
    pub transaction: Duration,
    /// Transactions open at the same time, per engine. On SQLite only one of the whole host writes at a time.
    pub transactions: usize,
    /// Verdicts of the guard kept per engine.
    pub verdicts: usize,
    /// Connections for reading on SQLite; all connections on PostgreSQL.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            statement_bytes: 256 << 10,
            values: 30_000,
            rows: 100_000,
            bytes: 64 << 20,
            statement: Duration::from_secs(30),
            migration: Duration::from_secs(600),
            idle: Duration::from_secs(15),
            transaction: Duration::from_secs(120),
            transactions: 16,
            verdicts: 2_000,
            connections: 8,
        }
    }
}
