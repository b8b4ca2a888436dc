//! Processes that are not ours: known by number and start, so that a number given to another is not mistaken.

use std::io;

use serde::{Deserialize, Serialize};

/// A process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// Process id.
    pub pid: u32,
    /// When it started, in the system's own unit; 0 where that cannot be known.
    pub start: u64,
}

impl Who {
    /// The process with this number, as it is now.
    pub fn of(pid: u32) -> Self {
        Self { pid, start: start(pid).unwrap_or(0) }
    }

    /// This process.
    pub fn me() -> Self {
        Self::of(std::process::id())
    }

    /// Whether it still runs. One that has ended and is not yet reaped does not.
    pub fn is_alive(&self) -> bool {
        alive(self)
    }

    /// Send it, or its whole group, a signal.
    pub fn signal(&self, signal: Signal, to: Reach) -> io::Result<()> {
        if !self.is_alive() {
            return Ok(());
        }
        send(self.pid, signal, to)
    }
}

/// How firmly to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Stop where it is safe.
    Interrupt,
    /// End.
    Terminate,
    /// Be gone.
    Kill,
}

/// Whom a signal reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The process.
    Process,
    /// Its group: whatever it started.
    Group,
}

/// State and start time of `/proc/<pid>/stat`; the name in it may hold anything but ends with the last parenthesis.
#[cfg(target_os = "linux")]
fn stat(pid: u32) -> Option<(char, u64)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?.chars().next()?;
    Some((state, fields.nth(18)?.parse().ok()?))
}

#[cfg(target_os = "linux")]
fn start(pid: u32) -> Option<u64> {
    stat(pid).map(|(_, start)| start)
}

#[cfg(target_os = "linux")]
fn alive(who: &Who) -> bool {
    stat(who.pid).is_some_and(|(state, start)| start == who.start && !matches!(state, 'Z' | 'X'))
}

#[cfg(not(target_os = "linux"))]
fn start(_pid: u32) -> Option<u64> {
    None
}

#[cfg(all(unix, not(target_os = "linux")))]
fn alive(who: &Who) -> bool {
    let pid = i32::try_from(who.pid).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
}

#[cfg(unix)]
fn send(pid: u32, signal: Signal, to: Reach) -> io::Result<()> {
    use rustix::process::{Pid, Signal as S};
    let signal = match signal {
        Signal::Interrupt => S::INT,
        Signal::Terminate => S::TERM,
        Signal::Kill => S::KILL,
    };
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    match to {
        Reach::Process => rustix::process::kill_process(pid, signal)?,
        Reach::Group => rustix::process::kill_process_group(pid, signal)?,
    }
    Ok(())
}

#[cfg(not(unix))]
fn alive(who: &Who) -> bool {
    // Until this system's way is written, a job that has not ended counts as running; its deadline ends it.
    who.pid != 0
}

#[cfg(not(unix))]
fn send(_pid: u32, _signal: Signal, _to: Reach) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
