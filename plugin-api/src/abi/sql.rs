//! SQL as plain data: a statement with typed values, rows with typed values, transactions by number.

use abi_stable::{
    StableAbi, sabi_trait,
    std_types::{RBox, RString, RVec},
};
use serde::{Deserialize, Serialize};

use super::{AbiResult, FfiFuture};

/// Type of a value or column.
#[repr(u8)]
#[derive(StableAbi, Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum SqlType {
    Unknown,
    Bool,
    I16,
    I32,
    I64,
    F32,
    F64,
    Text,
    Bytes,
    Uuid,
    /// Instant in UTC.
    TimestampTz,
    /// Date and time without a zone.
    Timestamp,
    Date,
    Time,
    Decimal,
    Json,
}

/// One value. Times are counts, so that nothing is lost in text.
#[repr(C, u8)]
#[derive(StableAbi, Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum SqlValue {
    /// NULL of a type.
    Null(SqlType),
    /// Boolean.
    Bool(bool),
    /// 16-bit integer.
    I16(i16),
    /// 32-bit integer.
    I32(i32),
    /// 64-bit integer.
    I64(i64),
    /// Single precision.
    F32(f32),
    /// Double precision.
    F64(f64),
    /// Text.
    Text(RString),
    /// Bytes.
    Bytes(RVec<u8>),
    /// UUID, big-endian bytes.
    Uuid([u8; 16]),
    /// Microseconds since the Unix epoch, UTC.
    TimestampTz(i64),
    /// Microseconds since the Unix epoch, no zone.
    Timestamp(i64),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since midnight.
    Time(i64),
    /// Decimal digits, e.g. `-12.50`.
    Decimal(RString),
    /// JSON text.
    Json(RString),
}

/// A statement with its values, in the host's dialect (`?` for SQLite, `$1` for PostgreSQL).
#[repr(C)]
#[derive(StableAbi, Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SqlStatement {
    /// One statement.
    pub sql: RString,
    /// Values in order.
    pub values: RVec<SqlValue>,
}

/// A column of a result.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlColumn {
    /// Name or alias.
    pub name: RString,
    /// Declared type, [`SqlType::Unknown`] for expressions on SQLite.
    pub kind: SqlType,
}

/// Rows: `values.len() == columns.len() * number of rows`.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SqlRows {
    /// Columns.
    pub columns: RVec<SqlColumn>,
    /// Values, row after row.
    pub values: RVec<SqlValue>,
}

/// Outcome of a statement without rows.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlDone {
    /// Rows changed.
    pub rows_affected: u64,
    /// Last row id (SQLite), 0 elsewhere.
    pub last_insert_id: i64,
}

/// The host's database.
#[repr(u8)]
#[derive(StableAbi, Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SqlBackend {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// A transaction's number; [`NO_TX`] for none.
pub type TxId = u64;
/// Outside any transaction.
pub const NO_TX: TxId = 0;

/// SQL over the host's database, confined to the engine's tables.
#[sabi_trait]
pub trait SqlService: Send + Sync + 'static {
    /// Which dialect to write.
    fn backend(&self) -> SqlBackend;
    /// Run a statement that returns rows. Refused past the host's row and byte limits.
    fn query(&self, tx: TxId, statement: SqlStatement) -> FfiFuture<AbiResult<SqlRows>>;
    /// Run a statement without rows.
    fn execute(&self, tx: TxId, statement: SqlStatement) -> FfiFuture<AbiResult<SqlDone>>;
    /// Begin a transaction, or a savepoint when `parent` is not [`NO_TX`].
    fn begin(&self, parent: TxId) -> FfiFuture<AbiResult<TxId>>;
    /// Commit.
    fn commit(&self, tx: TxId) -> FfiFuture<AbiResult<()>>;
    /// Roll back.
    fn rollback(&self, tx: TxId) -> FfiFuture<AbiResult<()>>;
    /// Roll back without waiting: what dropping a transaction does.
    #[sabi(last_prefix_field)]
    fn abandon(&self, tx: TxId);
}

/// Boxed [`SqlService`].
pub type SqlServiceBox = SqlService_TO<RBox<()>>;
