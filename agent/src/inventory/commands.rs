//! Asking the system's own commands, where there is no file or socket to read: with a deadline and a limit on what they print.

use std::{
    io::Read,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

/// How long a command may take.
const DEADLINE: Duration = Duration::from_secs(30);
/// What a command prints beyond this is left aside.
const MOST: u64 = 8 << 20;
/// Where commands are looked for, whatever the agent was started with.
const PATHS: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin:/usr/pkg/sbin:/usr/pkg/bin:\
                     /opt/homebrew/bin";

/// What a command printed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// Standard output, invalid UTF-8 replaced.
    pub text: String,
    /// It ended with 0.
    pub success: bool,
}

/// Run it, in the C locale, without input. `None` when it is not there or takes too long.
pub fn run(program: &str, arguments: &[&str]) -> Option<Output> {
    run_within(program, arguments, DEADLINE)
}

/// The same with another deadline.
pub fn run_within(program: &str, arguments: &[&str], deadline: Duration) -> Option<Output> {
    let mut command = command(program, arguments);
    let mut child = command.spawn().ok()?;
    let mut stdout = child.stdout.take()?;
    let (done, answer) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = stdout.by_ref().take(MOST).read_to_end(&mut bytes);
        // What is beyond the limit is drained, so that the command can end.
        let drained = std::io::copy(&mut stdout, &mut std::io::sink());
        let _ = done.send(read.and(drained).is_ok().then_some(bytes));
    });
    let Ok(Some(bytes)) = answer.recv_timeout(deadline) else {
        tracing::info!(program, "a command took too long and was ended");
        end(&mut child);
        return None;
    };
    // Its output is closed: it ends now, or has left a child behind that does not concern us.
    let success = child.wait().ok()?.success();
    Some(Output { text: lossy(bytes), success })
}

/// A command as collectors run it.
pub fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    if cfg!(unix) {
        command.env("PATH", PATHS);
    }
    command
}

fn end(child: &mut Child) {
    if let Err(error) = child.kill().and_then(|()| child.wait().map(drop)) {
        tracing::warn!(%error, "a command could not be ended");
    }
}

fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}

/// The file that holds a command's recorded answer: its words joined by `_`, whatever is no letter, digit or dot a `-`.
pub fn file_name(program: &str, arguments: &[&str]) -> String {
    let program = program.rsplit('/').next().unwrap_or(program);
    let words = std::iter::once(program).chain(arguments.iter().copied());
    let clean = |word: &str| -> String {
        word.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect()
    };
    let name = words.map(clean).collect::<Vec<_>>().join("_");
    name.chars().take(120).collect()
}

/// A command's output as it comes, for what is too large to be held; it is ended when it takes longer than a minute.
pub fn stream(program: &str, arguments: &[&str]) -> Option<Stream> {
    let mut child = command(program, arguments).spawn().ok()?;
    let stdout = child.stdout.take()?;
    let (done, wait) = mpsc::channel::<()>();
    std::thread::spawn(move || {
        if wait.recv_timeout(2 * DEADLINE) == Err(mpsc::RecvTimeoutError::Timeout) {
            end(&mut child);
        } else if let Err(error) = child.wait() {
            tracing::warn!(%error, "a command could not be waited for");
        }
    });
    Some(Stream { stdout, _done: done })
}

/// The output of a running command.
#[derive(Debug)]
pub struct Stream {
    stdout: std::process::ChildStdout,
    /// Dropped with the stream, which tells that nobody reads any more.
    _done: mpsc::Sender<()>,
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.stdout.read(buffer)
    }
}
