//! Waiting for a condition, with a deadline.

use std::{future::Future, time::Duration};

use anyhow::{Result, bail};
use tokio::time::{Instant, sleep};

/// Ask `probe` until it answers `Some`, at most `patience`; its last error is told when it never does.
///
/// # Errors
/// When the deadline passes.
pub async fn until<T, F>(what: &str, patience: Duration, mut probe: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<Option<T>>>,
{
    let end = Instant::now() + patience;
    let mut last = String::from("not yet");
    while Instant::now() < end {
        match probe().await {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => {}
            Err(e) => last = format!("{e:#}"),
        }
        sleep(Duration::from_millis(50)).await;
    }
    bail!("waited {patience:?} for {what}: {last}")
}
