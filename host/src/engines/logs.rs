//! The last log lines of an engine, beside the host's log.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use plugin_runtime::{LogRecord, LogSink, TracingLog};
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::SharedClock;

/// Lines kept per engine.
const KEPT: usize = 500;
/// Longest line, in characters.
const LINE: usize = 2_000;

/// A log line of an engine.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LogLine {
    /// When.
    pub at: DateTime<Utc>,
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: String,
    /// Where in the engine.
    pub target: String,
    /// What, with its fields.
    pub message: String,
}

/// The last lines. Cheap to share.
#[derive(Debug, Default)]
pub(super) struct Logs(Mutex<VecDeque<LogLine>>);

impl Logs {
    /// Oldest first.
    pub fn lines(&self) -> Vec<LogLine> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn keep(&self, line: LogLine) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

/// Keeps an engine's records here and in the host's log.
pub(super) struct Sink {
    pub logs: Arc<Logs>,
    pub tracing: TracingLog,
    pub clock: SharedClock,
}

impl LogSink for Sink {
    fn enabled(&self, level: u8, target: &str) -> bool {
        level <= 3 || self.tracing.enabled(level, target)
    }

    fn log(&self, record: LogRecord) {
        let level = match record.level {
            0 | 1 => "error",
            2 => "warn",
            3 => "info",
            4 => "debug",
            _ => "trace",
        };
        let fields: String = record.fields.iter().map(|(k, v)| format!(" {k}={v}")).collect();
        let message = format!("{}{fields}", record.message).chars().take(LINE).collect();
        let target = record.target.clone();
        self.logs.keep(LogLine { at: self.clock.now(), level: level.into(), target, message });
        if self.tracing.enabled(record.level, &record.target) {
            self.tracing.log(record);
        }
    }
}
