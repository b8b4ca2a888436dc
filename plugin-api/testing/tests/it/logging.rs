//! Logging: forwarded with its spans, formatted only when wanted.

use std::{
    fmt,
    sync::atomic::{AtomicUsize, Ordering},
};

use plugin_testing::TestEngine;
use serde_json::Value;

use crate::probe::Probe;

static FORMATTED: AtomicUsize = AtomicUsize::new(0);

struct Costly;

impl fmt::Display for Costly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        FORMATTED.fetch_add(1, Ordering::Relaxed);
        f.write_str("costly")
    }
}

/// What the probe's job does.
pub fn speak(job: &str) {
    let span = tracing::info_span!("run", run.id = 7, script = tracing::field::Empty);
    let _inside = span.enter();
    span.record("script", "hello.sh");
    tracing::info!(job.name = job, "spoken {}", 1);
    tracing::debug!(value = %Costly, "never seen");
}

#[tokio::test]
async fn records_carry_the_fields_of_their_spans() {
    let engine = TestEngine::<Probe>::start().await;
    engine.job("speak", Value::Null).await.unwrap();
    let record = engine.log().records().into_iter().find(|r| r.message == "spoken 1").unwrap();
    let fields: Vec<(&str, &str)> = record.fields.iter().map(|f| (f.0.as_str(), f.1.as_str())).collect();
    assert_eq!(fields, [("run.id", "7"), ("script", "hello.sh"), ("job.name", "speak")]);
    assert_eq!(FORMATTED.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn engines_in_one_process_keep_their_logs_apart() {
    let (one, two) = (TestEngine::<Probe>::start().await, TestEngine::<Probe>::start().await);
    one.job("only in one", Value::Null).await.unwrap();
    assert!(one.log().contains("only in one"));
    assert!(!two.log().contains("only in one"));
}
