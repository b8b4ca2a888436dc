//! Engine log records into this process's `tracing`.

use tracing::{Level, enabled, event};

use crate::{LogRecord, LogSink};

/// A [`LogSink`] that writes tracing events with target `engine`, fields `engine.id` and `engine.target`.
#[derive(Debug, Clone)]
pub struct TracingLog {
    engine: String,
}

impl TracingLog {
    /// For one engine.
    pub fn new(engine: impl Into<String>) -> Self {
        Self { engine: engine.into() }
    }
}

impl LogSink for TracingLog {
    fn enabled(&self, level: u8, _target: &str) -> bool {
        match level {
            0 | 1 => enabled!(target: "engine", Level::ERROR),
            2 => enabled!(target: "engine", Level::WARN),
            3 => enabled!(target: "engine", Level::INFO),
            4 => enabled!(target: "engine", Level::DEBUG),
            _ => enabled!(target: "engine", Level::TRACE),
        }
    }

    fn log(&self, record: LogRecord) {
        let fields = Fields(&record.fields);
        let (id, target, message) = (self.engine.as_str(), record.target.as_str(), record.message.as_str());
        macro_rules! emit {
            ($level:ident) => {
                event!(target: "engine", Level::$level, engine.id = id, engine.target = target, %fields, "{message}")
            };
        }
        match record.level {
            0 | 1 => emit!(ERROR),
            2 => emit!(WARN),
            3 => emit!(INFO),
            4 => emit!(DEBUG),
            _ => emit!(TRACE),
        }
    }
}

struct Fields<'a>(&'a [(String, String)]);

impl std::fmt::Display for Fields<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, (key, value)) in self.0.iter().enumerate() {
            let space = if i == 0 { "" } else { " " };
            write!(f, "{space}{key}={value}")?;
        }
        Ok(())
    }
}
