//! Limits of an isolated instance.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// How an isolated instance is started, watched and limited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IsolatedOptions {
    /// Program to run; it must call [`crate::worker::main`] when started with `args`. This process's own by default.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// How long the engine may take to start.
    pub start_deadline: Duration,
    /// Deadline of requests whose context has none.
    pub default_deadline: Duration,
    /// How long a call waits for a process that is being restarted.
    pub wait_for_restart: Duration,
    /// How often the process is asked for a sign of life.
    pub heartbeat: Duration,
    /// How long it may be silent, or take to let go of a cancelled call, before it is killed.
    pub silence: Duration,
    /// Crashes within `crash_window` after which it is quarantined.
    pub max_crashes: u32,
    /// See `max_crashes`.
    pub crash_window: Duration,
    /// First pause before a restart; doubles with each crash in the window.
    pub backoff: Duration,
    /// Longest pause.
    pub max_backoff: Duration,
    /// Address space of the process in bytes, code and stacks included.
    pub memory: u64,
    /// Calls that may run at once; more are answered with `engine_unavailable`.
    pub max_in_flight: usize,
    /// Threads that poll the engine's futures.
    pub threads: usize,
}

impl Default for IsolatedOptions {
    fn default() -> Self {
        Self {
            program: own_program(),
            args: vec!["engine-worker".into()],
            start_deadline: Duration::from_secs(30),
            default_deadline: Duration::from_secs(60),
            wait_for_restart: Duration::from_secs(5),
            heartbeat: Duration::from_secs(1),
            silence: Duration::from_secs(10),
            max_crashes: 5,
            crash_window: Duration::from_secs(300),
            backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(30),
            memory: 4 << 30,
            max_in_flight: 1024,
            threads: 4,
        }
    }
}

/// The program of this process. On Linux by a path that stays right when the file was replaced by an upgrade, so that a
/// host never restarts an engine with another version of itself.
fn own_program() -> PathBuf {
    if cfg!(target_os = "linux") {
        return PathBuf::from("/proc/self/exe");
    }
    std::env::current_exe().unwrap_or_default()
}
