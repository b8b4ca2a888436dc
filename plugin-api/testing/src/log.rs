//! Keeps an engine's log records for assertions.

use std::sync::{Arc, Mutex, PoisonError};

use plugin_api::abi::{
    LogRecord, LogSink, LogSink_TO, LogSinkBox,
    abi_stable::{sabi_trait::TD_Opaque, std_types::RStr},
};

/// Everything the engine logged at `info` and above.
#[derive(Clone, Default)]
pub struct TestLog(Arc<Mutex<Vec<LogRecord>>>);

impl TestLog {
    /// Records so far.
    pub fn records(&self) -> Vec<LogRecord> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether a record's message or a field contains `text`.
    pub fn contains(&self, text: &str) -> bool {
        let has = |r: &LogRecord| r.message.contains(text) || r.fields.iter().any(|f| f.1.contains(text));
        self.records().iter().any(has)
    }

    /// The sink to give an engine.
    pub fn sink(&self) -> LogSinkBox {
        LogSink_TO::from_value(self.clone(), TD_Opaque)
    }
}

impl LogSink for TestLog {
    fn enabled(&self, level: u8, _target: RStr<'_>) -> bool {
        level <= 3
    }

    fn log(&self, record: LogRecord) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(record);
    }
}
