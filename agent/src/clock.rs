//! This machine's time, and how far the host's is from it.

use std::sync::atomic::{AtomicI64, Ordering};

use agent_protocol::UnixMs;

/// Now, in milliseconds since the Unix epoch.
pub fn now_ms() -> UnixMs {
    chrono::Utc::now().timestamp_millis()
}

/// The host's time relative to ours; deadlines come in the host's.
#[derive(Debug, Default)]
pub struct HostClock(AtomicI64);

impl HostClock {
    /// The host says it is `server_time` now.
    pub fn set(&self, server_time: UnixMs) {
        self.0.store(server_time.saturating_sub(now_ms()), Ordering::Relaxed);
    }

    /// A moment of the host's time in ours.
    pub fn to_local(&self, at: UnixMs) -> UnixMs {
        at.saturating_sub(self.0.load(Ordering::Relaxed))
    }
}
