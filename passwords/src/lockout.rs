//! Waiting times after wrong passwords: longer each time, per name and per address.
//!
//! Users' own failures are in the database. Here are those of names that nobody has, so that a lock does not tell which
//! names exist, and those of addresses.

use std::{collections::HashMap, sync::Mutex};

use chrono::{DateTime, Duration, Utc};

const MAX_LOCK_MINUTES: i64 = 60;
const MAX_KEYS: usize = 20_000;
/// What is not added to for so long is forgotten.
const FORGET_AFTER: Duration = Duration::hours(2);

/// How long to lock after `failures`, of which `allowed` are free.
pub fn lock_after(failures: u32, allowed: u32) -> Option<Duration> {
    let beyond = failures.checked_sub(allowed)?;
    let minutes = 1i64.checked_shl(beyond.min(10)).unwrap_or(MAX_LOCK_MINUTES);
    Some(Duration::minutes(minutes.min(MAX_LOCK_MINUTES)))
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    failures: u32,
    until: DateTime<Utc>,
    last: DateTime<Utc>,
}

/// Failures by key. Bounded: when full, what is forgotten first makes room, and then new keys are not counted.
#[derive(Debug, Default)]
pub struct Failures(Mutex<HashMap<String, Entry>>);

impl Failures {
    /// Seconds that `key` has to wait.
    pub fn locked_for(&self, key: &str, now: DateTime<Utc>) -> Option<u64> {
        let entries = self.0.lock().unwrap_or_else(|e| e.into_inner());
        let left = entries.get(key)?.until - now;
        (left > Duration::zero()).then(|| u64::try_from(left.num_seconds()).unwrap_or(0) + 1)
    }

    /// Count a failure of `key`.
    pub fn count(&self, key: &str, now: DateTime<Utc>, allowed: u32) {
        let mut entries = self.0.lock().unwrap_or_else(|e| e.into_inner());
        if entries.len() >= MAX_KEYS {
            entries.retain(|_, e| now - e.last < FORGET_AFTER);
        }
        if entries.len() >= MAX_KEYS && !entries.contains_key(key) {
            return;
        }
        let entry = entries.entry(key.into()).or_insert(Entry { failures: 0, until: now, last: now });
        if now - entry.last >= FORGET_AFTER {
            entry.failures = 0;
        }
        entry.failures = entry.failures.saturating_add(1);
        entry.last = now;
        if let Some(lock) = lock_after(entry.failures, allowed) {
            entry.until = now + lock;
        }
    }
}
