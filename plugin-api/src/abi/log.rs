//! Tracing records that cross the boundary.

use abi_stable::{
    StableAbi, sabi_trait,
    std_types::{RBox, RStr, RString, RVec, Tuple2},
};

/// A log record.
#[repr(C)]
#[derive(StableAbi, Debug, Clone)]
pub struct LogRecord {
    /// 1 error, 2 warn, 3 info, 4 debug, 5 trace.
    pub level: u8,
    /// Tracing target, e.g. `automation::runs`.
    pub target: RString,
    /// Message.
    pub message: RString,
    /// Fields, values formatted.
    pub fields: RVec<Tuple2<RString, RString>>,
}

/// Where an engine's log records go.
#[sabi_trait]
pub trait LogSink: Send + Sync + 'static {
    /// Whether a record would be kept: asked before it is formatted.
    fn enabled(&self, level: u8, target: RStr<'_>) -> bool;
    /// Keep a record.
    #[sabi(last_prefix_field)]
    fn log(&self, record: LogRecord);
}

/// Boxed [`LogSink`].
pub type LogSinkBox = LogSink_TO<RBox<()>>;
