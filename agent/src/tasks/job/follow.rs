//! Following a job: what it writes goes to the spool, from where the last agent left off, until it has ended.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
    time::Duration,
};

use bytes::Bytes;
use plugin_api::abi::OutputStream;
use plugin_runtime::CommandIo as _;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    Exit, JobDir, Who,
    process::{Reach, Signal},
};
use crate::tasks::io::TaskIo;

/// How often to look at the files.
const LOOK: Duration = Duration::from_millis(100);
/// Bytes read at once.
const PIECE: usize = 64 << 10;
/// How long a job may go on after it was asked to stop where that is safe: a package must not stay half unpacked.
const SAFE_STOP: Duration = Duration::from_secs(600);
/// How long after that it is told to end, and then killed.
const LAST_STOP: Duration = Duration::from_secs(30);

/// What following came to.
#[derive(Debug)]
pub enum Followed {
    /// The job ended so.
    Ended(Exit),
    /// Its process is gone and did not say how it ended.
    Lost,
    /// The agent ends; the job goes on.
    Left,
}

/// Follow the job in `dir`. `taken` is how much of both streams the spool has already; `progress` reads a line that the
/// program wrote for it.
pub async fn follow(
    dir: &JobDir,
    io: &TaskIo,
    taken: [u64; 2],
    progress: impl Fn(&str) -> Option<(u64, String)>,
    leave: &CancellationToken,
) -> io::Result<Followed> {
    let mut streams =
        [(OutputStream::Stdout, Reader::at(taken[0])), (OutputStream::Stderr, Reader::at(taken[1]))];
    let mut lines = Lines::default();
    let mut stop = Stop::default();
    loop {
        // Asked before reading: what was written before the end is then read below.
        let ended = dir.ended()?;
        let lost = ended.is_none() && !running(dir)? && dir.ended()?.is_none();
        for (stream, reader) in &mut streams {
            let name = if matches!(stream, OutputStream::Stdout) { "out" } else { "err" };
            while let Some(piece) = reader.read(&dir.file(name))? {
                io.output(*stream, piece).await;
            }
        }
        lines.read(&dir.file("progress"), |line| {
            if let Some((done, message)) = progress(line) {
                io.progress(done, 100, &message);
            }
        })?;
        if let Some(exit) = ended {
            return Ok(Followed::Ended(exit));
        }
        if lost {
            return Ok(Followed::Lost);
        }
        stop.advance(dir);
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = leave.cancelled() => return Ok(Followed::Left),
            () = io.cancelled(), if stop.asked.is_none() => stop.ask(dir),
        }
    }
}

/// Whether the runner, or the program it started, is there. The runner alone writes how it ended.
fn running(dir: &JobDir) -> io::Result<bool> {
    match dir.read::<Who>("started") {
        Ok(Some(who)) => Ok(who.is_alive()),
        // It died while it wrote who it is: the program was not started.
        Ok(None) | Err(_) => Ok(false),
    }
}

/// How a job is stopped: first where it is safe, at last by force.
#[derive(Default)]
struct Stop {
    asked: Option<Instant>,
    told: bool,
}

impl Stop {
    fn ask(&mut self, dir: &JobDir) {
        self.asked = Some(Instant::now());
        signal(dir, Signal::Interrupt, Reach::Process);
    }

    fn advance(&mut self, dir: &JobDir) {
        let Some(asked) = self.asked else { return };
        if asked.elapsed() > SAFE_STOP + LAST_STOP {
            signal(dir, Signal::Kill, Reach::Group);
        } else if asked.elapsed() > SAFE_STOP && !self.told {
            self.told = true;
            signal(dir, Signal::Terminate, Reach::Group);
        }
    }
}

fn signal(dir: &JobDir, signal: Signal, reach: Reach) {
    let child: io::Result<Option<Who>> = dir.read("child");
    let sent = child.and_then(|child| child.map_or(Ok(()), |child| child.signal(signal, reach)));
    if let Err(error) = sent {
        tracing::warn!(%error, "a job cannot be stopped");
    }
}

/// Reads what was appended to a file since the last time.
struct Reader {
    offset: u64,
}

impl Reader {
    fn at(offset: u64) -> Self {
        Self { offset }
    }

    fn read(&mut self, path: &Path) -> io::Result<Option<Bytes>> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        file.seek(SeekFrom::Start(self.offset))?;
        let mut piece = Vec::with_capacity(PIECE.min(4096));
        file.take(PIECE as u64).read_to_end(&mut piece)?;
        self.offset += piece.len() as u64;
        Ok((!piece.is_empty()).then(|| piece.into()))
    }
}

/// Whole lines of a file that grows.
struct Lines {
    reader: Reader,
    rest: String,
}

impl Default for Lines {
    fn default() -> Self {
        Self { reader: Reader::at(0), rest: String::new() }
    }
}

impl Lines {
    /// Only the last line of what is new counts: progress is not history.
    fn read(&mut self, path: &Path, mut line: impl FnMut(&str)) -> io::Result<()> {
        while let Some(piece) = self.reader.read(path)? {
            self.rest.push_str(&String::from_utf8_lossy(&piece));
        }
        if let Some(end) = self.rest.rfind('\n') {
            if let Some(last) = self.rest[..end].lines().last() {
                line(last);
            }
            self.rest.drain(..=end);
        }
        Ok(())
    }
}
