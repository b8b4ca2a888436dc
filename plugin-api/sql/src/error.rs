//! Why a statement was refused or failed, as a stable code and a sentence.

use plugin_api::{EngineError, abi::AbiError};

/// An error of the SQL service.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// The guard refused the text.
    #[error("The statement is not allowed: {0}.")]
    Refused(String),
    /// The text does not parse.
    #[error("The statement does not parse: {0}.")]
    Syntax(String),
    /// More rows or bytes than one answer may hold.
    #[error("The result exceeds the limit of {limit} {unit}; ask for less with LIMIT, or page by key.")]
    TooMuch {
        /// The limit.
        limit: u64,
        /// `rows` or `bytes`.
        unit: &'static str,
    },
    /// The statement ran into its deadline.
    #[error("The statement did not end within {0} ms.")]
    Deadline(u128),
    /// No connection became free, or the database stayed locked.
    #[error("The database was busy for {0} ms; try again.")]
    Busy(u128),
    /// An engine holds too many transactions open.
    #[error("At most {0} transactions may be open; commit or roll back one.")]
    TooManyTransactions(usize),
    /// Unknown, ended or foreign transaction.
    #[error("Transaction {0} is not open: it ended, was rolled back when idle for too long, or never was.")]
    NoTransaction(u64),
    /// A value does not fit the column or cannot be expressed.
    #[error("A value cannot be passed on: {0}.")]
    Value(String),
    /// A constraint of the table.
    #[error("{message}")]
    Constraint {
        /// `unique_violation`, `foreign_key_violation`, `not_null_violation` or `check_violation`.
        code: &'static str,
        /// The database's own words.
        message: String,
    },
    /// A migration was changed after it ran.
    #[error("Migration `{0}` differs from the one that ran; published migrations never change.")]
    MigrationChanged(String),
    /// A migration that ran is missing from the engine's list, or stands in another place.
    #[error("Migration `{0}` ran before, but the engine's list has another order or lacks it.")]
    MigrationOrder(String),
    /// A migration failed and was rolled back.
    #[error("Migration `{name}` failed and was rolled back: {source}")]
    Migration {
        /// Name of the migration.
        name: String,
        /// Cause.
        #[source]
        source: Box<SqlError>,
    },
    /// Any other error of the database.
    #[error("The database refused: {0}.")]
    Database(String),
}

impl SqlError {
    /// Stable snake_case code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(_) => "sql_refused",
            Self::Syntax(_) => "sql_syntax",
            Self::TooMuch { .. } => "sql_result_too_large",
            Self::Deadline(_) => "sql_deadline",
            Self::Busy(_) => "sql_busy",
            Self::TooManyTransactions(_) => "sql_too_many_transactions",
            Self::NoTransaction(_) => "sql_no_transaction",
            Self::Value(_) => "sql_value",
            Self::Constraint { code, .. } => code,
            Self::MigrationChanged(_) => "migration_changed",
            Self::MigrationOrder(_) => "migration_order",
            Self::Migration { .. } => "migration_failed",
            Self::Database(_) => "sql_failed",
        }
    }

    /// A refusal by the guard.
    pub(crate) fn refused(why: impl Into<String>) -> Self {
        Self::Refused(why.into())
    }
}

impl From<sqlx::Error> for SqlError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::error::ErrorKind;
        if let sqlx::Error::PoolTimedOut = error {
            return Self::Busy(0);
        }
        let Some(db) = error.as_database_error() else { return Self::Database(trimmed(&error.to_string())) };
        let code = match db.kind() {
            ErrorKind::UniqueViolation => "unique_violation",
            ErrorKind::ForeignKeyViolation => "foreign_key_violation",
            ErrorKind::NotNullViolation => "not_null_violation",
            ErrorKind::CheckViolation => "check_violation",
            _ => return by_code(db),
        };
        Self::Constraint { code, message: trimmed(db.message()) }
    }
}

fn by_code(db: &dyn sqlx::error::DatabaseError) -> SqlError {
    match db.code().as_deref() {
        // SQLITE_BUSY and its extended forms; lock_not_available; deadlock_detected; serialization_failure.
        Some("5" | "261" | "517" | "773" | "55P03" | "40P01" | "40001") => SqlError::Busy(0),
        // SQLITE_INTERRUPT; query_canceled.
        Some("9" | "57014") => SqlError::Deadline(0),
        _ => SqlError::Database(trimmed(db.message())),
    }
}

/// A database's message without a final dot, so that it can end our sentence.
fn trimmed(message: &str) -> String {
    message.trim_end_matches('.').to_owned()
}

impl From<SqlError> for EngineError {
    fn from(error: SqlError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<SqlError> for AbiError {
    fn from(error: SqlError) -> Self {
        EngineError::from(error).into()
    }
}
