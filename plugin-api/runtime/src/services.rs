//! What a host gives a server half, as Rust traits. The runtime adapts them to the ABI, or proxies them to a child.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use plugin_api::EngineError;
use plugin_api::abi::{SqlBackend, SqlDone, SqlRows, SqlStatement, TxId};

/// The host's side of an engine: only what was granted is in here.
#[derive(Clone)]
pub struct HostServices {
    /// Where log records go.
    pub log: Arc<dyn LogSink>,
    /// SQL confined to the engine's tables, when granted.
    pub sql: Option<Arc<dyn SqlService>>,
    /// Every other granted service by [`plugin_api::Capability::name`], and `license`.
    pub services: Vec<(String, Arc<dyn HostService>)>,
}

/// A service called by method name with JSON payloads of [`plugin_api::services`].
pub trait HostService: Send + Sync + 'static {
    /// Call `method`. Dropping the future cancels the call.
    fn call(&self, method: String, payload: Vec<u8>) -> BoxFuture<'_, Result<Vec<u8>, EngineError>>;
}

/// SQL over the host's database. Dropping a future cancels its statement; transactions are numbers.
///
/// When an isolated engine dies, the runtime abandons every transaction it had begun.
pub trait SqlService: Send + Sync + 'static {
    /// The dialect.
    fn backend(&self) -> SqlBackend;
    /// Run a statement that returns rows.
    fn query(&self, tx: TxId, statement: SqlStatement) -> BoxFuture<'_, Result<SqlRows, EngineError>>;
    /// Run a statement without rows.
    fn execute(&self, tx: TxId, statement: SqlStatement) -> BoxFuture<'_, Result<SqlDone, EngineError>>;
    /// Begin a transaction, or a savepoint when `parent` is not [`plugin_api::abi::NO_TX`].
    fn begin(&self, parent: TxId) -> BoxFuture<'_, Result<TxId, EngineError>>;
    /// Commit.
    fn commit(&self, tx: TxId) -> BoxFuture<'_, Result<(), EngineError>>;
    /// Roll back.
    fn rollback(&self, tx: TxId) -> BoxFuture<'_, Result<(), EngineError>>;
    /// Roll back without waiting. Must not block.
    fn abandon(&self, tx: TxId);
}

/// A log record of an engine.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LogRecord {
    /// 1 error, 2 warn, 3 info, 4 debug, 5 trace.
    pub level: u8,
    /// Tracing target, e.g. `automation::runs`.
    pub target: String,
    /// Message.
    pub message: String,
    /// Fields, values formatted.
    pub fields: Vec<(String, String)>,
}

/// Where an engine's log records go. Must not block.
pub trait LogSink: Send + Sync + 'static {
    /// Whether a record would be kept: asked before it is formatted.
    fn enabled(&self, level: u8, target: &str) -> bool;
    /// Keep a record.
    fn log(&self, record: LogRecord);
}
