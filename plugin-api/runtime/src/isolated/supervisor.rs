//! Starts a process again when it dies, with growing pauses, and gives up when it dies too often.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::session::{self, Started};
use super::{InstanceState, Shared};

/// Watch over an engine's processes until it is stopped or quarantined.
pub(crate) async fn supervise(shared: Arc<Shared>, first: Started) {
    let mut crashes = VecDeque::new();
    let mut running = first;
    loop {
        let report = running.ended.await.unwrap_or_else(|e| format!("its session failed: {e}"));
        shared.set_session(None);
        if shared.stop.is_cancelled() || shared.gauge.is_closed() {
            shared.state.send_replace(InstanceState::Stopped);
            return;
        }
        match restart(&shared, &mut crashes, report).await {
            Some(started) => running = started,
            None => return,
        }
    }
}

async fn restart(shared: &Shared, crashes: &mut VecDeque<Instant>, mut report: String) -> Option<Started> {
    let (options, engine) = (&shared.template.options, &shared.template.manifest.id);
    loop {
        shared.gauge.crashed();
        crashes.push_back(Instant::now());
        while crashes.front().is_some_and(|at| at.elapsed() > options.crash_window) {
            crashes.pop_front();
        }
        let count = u32::try_from(crashes.len()).unwrap_or(u32::MAX);
        if count >= options.max_crashes {
            tracing::error!(engine.id = %engine, crashes = count, %report, "engine quarantined");
            shared.state.send_replace(InstanceState::Quarantined { report });
            return None;
        }
        let pause = pause(options.backoff, options.max_backoff, count);
        let pause_ms = pause.as_millis();
        tracing::warn!(engine.id = %engine, crashes = count, %report, pause_ms, "engine's process ended; restarting");
        shared.state.send_replace(InstanceState::Restarting { crashes: count, report: report.clone() });
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = shared.stop.cancelled() => {
                shared.state.send_replace(InstanceState::Stopped);
                return None;
            }
        }
        match session::start(&shared.template, &shared.stop).await {
            Ok(started) => {
                shared.set_session(Some(started.session.clone()));
                shared.state.send_replace(InstanceState::Running);
                return Some(started);
            }
            Err(e) => report = format!("it did not start again: {e}"),
        }
    }
}

/// Doubles with each crash in the window.
fn pause(first: Duration, longest: Duration, crashes: u32) -> Duration {
    first.saturating_mul(1 << crashes.saturating_sub(1).min(16)).min(longest)
}
