//! The child process: started, listened to and waited for by a thread of its own.

use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::sync::{oneshot, watch};

use crate::{IsolatedOptions, LogRecord, LogSink};

/// Kept of what the process last wrote to its standard error.
const TAIL: usize = 4096;
/// Lines of standard error that are logged per process; a flood is not.
const MAX_LINES: usize = 500;

/// A running child. Dropping it kills it.
pub(crate) struct Child {
    pidfd: OwnedFd,
    exit: watch::Receiver<Option<String>>,
}

/// Start the engine's process. The thread stays until the process has ended: Linux ends a process whose parent's
/// thread ends, which is how a killed host takes its engines with it.
pub(crate) async fn spawn(
    engine: &str,
    options: &IsolatedOptions,
    socket: OwnedFd,
    library: OwnedFd,
    log: Arc<dyn LogSink>,
) -> io::Result<Child> {
    let mut command = Command::new(&options.program);
    command.args(&options.args).env_clear().current_dir("/");
    command.stdin(Stdio::from(socket)).stdout(Stdio::from(library)).stderr(Stdio::piped());
    let (started, start) = oneshot::channel();
    let (ended, exit) = watch::channel(None);
    let engine = engine.to_owned();
    std::thread::Builder::new().name(format!("engine-{engine}")).stack_size(128 << 10).spawn(move || {
        let child = command.spawn().and_then(|child| Ok((open_pidfd(&child)?, child)));
        // The child holds the only other copies from here on, so that its end is seen.
        drop(command);
        match child {
            Err(e) => drop(started.send(Err(e))),
            Ok((pidfd, mut child)) => {
                let _ = started.send(Ok(pidfd));
                let tail = child.stderr.take().map(|err| listen(err, &engine, &*log)).unwrap_or_default();
                let report = describe(child.wait(), &tail);
                ended.send_replace(Some(report));
            }
        }
    })?;
    let pidfd =
        start.await.unwrap_or_else(|_| Err(io::Error::other("the thread that starts engines ended")))?;
    Ok(Child { pidfd, exit })
}

fn open_pidfd(child: &std::process::Child) -> io::Result<OwnedFd> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| io::Error::other("the process has no number"))?;
    Ok(pidfd_open(pid, PidfdFlags::empty())?)
}

/// Log what the process writes to its standard error; gives the last of it.
fn listen(mut stderr: impl Read, engine: &str, log: &dyn LogSink) -> String {
    let (mut tail, mut line, mut lines) = (Vec::new(), Vec::new(), 0);
    let mut buffer = [0; 1024];
    while let Ok(n @ 1..) = stderr.read(&mut buffer) {
        tail.extend_from_slice(&buffer[..n]);
        tail.drain(..tail.len().saturating_sub(TAIL));
        for byte in &buffer[..n] {
            if *byte == b'\n' || line.len() >= TAIL {
                lines += 1;
                emit(&mut line, lines, engine, log);
            } else {
                line.push(*byte);
            }
        }
    }
    String::from_utf8_lossy(&tail).trim().to_owned()
}

fn emit(line: &mut Vec<u8>, number: usize, engine: &str, log: &dyn LogSink) {
    let message = String::from_utf8_lossy(&std::mem::take(line)).into_owned();
    if number <= MAX_LINES && !message.trim().is_empty() {
        log.log(LogRecord { level: 2, target: format!("{engine}::stderr"), message, fields: Vec::new() });
    }
}

fn describe(status: io::Result<ExitStatus>, tail: &str) -> String {
    let how = match status {
        Err(e) => format!("its end was not seen: {e}"),
        Ok(status) => match (status.signal(), status.code()) {
            (Some(signal), _) => format!("signal {signal}{}", name_of(signal)),
            (None, Some(code)) => format!("exit code {code}"),
            (None, None) => "unknown end".to_owned(),
        },
    };
    let last: String = tail.lines().last().unwrap_or_default().chars().take(300).collect();
    if last.is_empty() { how } else { format!("{how}; last words: {last}") }
}

fn name_of(signal: i32) -> &'static str {
    match signal {
        libc::SIGSEGV => " (segmentation fault)",
        libc::SIGBUS => " (bus error)",
        libc::SIGABRT => " (abort)",
        libc::SIGKILL => " (killed)",
        libc::SIGILL => " (illegal instruction)",
        libc::SIGSYS => " (forbidden system call)",
        libc::SIGXCPU => " (processor time used up)",
        libc::SIGTERM => " (terminated)",
        _ => "",
    }
}

impl Child {
    /// End it now.
    pub(crate) fn kill(&self) {
        // Fails only when it has ended already.
        let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
    }

    /// How it ended, once it has.
    pub(crate) async fn ended(&self) -> String {
        let mut exit = self.exit.clone();
        let report = exit.wait_for(Option::is_some).await;
        report.ok().and_then(|r| r.clone()).unwrap_or_else(|| "its end was not seen".to_owned())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Why this side ended a process; told instead of "killed".
#[derive(Debug, Default)]
pub(crate) struct Verdict(Mutex<Option<String>>);

impl Verdict {
    /// The first reason stays.
    pub(crate) fn give(&self, reason: impl Into<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| reason.into());
    }

    pub(crate) fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
