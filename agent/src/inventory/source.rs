//! Bounded reading of system files below a root folder, so that collectors run on recorded trees too.

use std::{
    fs::File,
    io::{self, BufRead, Read},
    path::{Path, PathBuf},
};

use super::{
    commands::{self, Output},
    systems::System,
};

/// No file a collector reads whole is larger than this; what is beyond is cut.
const MAX_FILE: u64 = 4 << 20;

/// The root of the file tree that collectors read, `/` outside tests.
#[derive(Debug, Clone)]
pub struct Root {
    path: PathBuf,
    recorded: Option<PathBuf>,
    system: System,
}

impl Default for Root {
    fn default() -> Self {
        Self::at("/")
    }
}

impl Root {
    /// A tree below `path`.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), recorded: None, system: System::here() }
    }

    /// A recorded machine: files below `path/root`, answers of commands below `path/commands`, each in the file that
    /// [`commands::file_name`] names.
    pub fn recorded(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { recorded: Some(path.join("commands")), path: path.join("root"), system: System::here() }
    }

    /// The same tree, of another system.
    pub fn of(self, system: System) -> Self {
        Self { system, ..self }
    }

    /// What kind of system this is.
    pub fn system(&self) -> System {
        self.system
    }

    /// Whether this is the machine the agent runs on, whose commands may be asked.
    pub fn is_machine(&self) -> bool {
        self.recorded.is_none() && self.path == Path::new("/")
    }

    /// What a command prints; `None` when it is not there, fails, takes too long, or this is no live machine.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Option<String> {
        self.run_any(program, arguments).filter(|output| output.success).map(|output| output.text)
    }

    /// What a command prints and whether it succeeded, for those that tell by their exit code.
    pub fn run_any(&self, program: &str, arguments: &[&str]) -> Option<Output> {
        match &self.recorded {
            Some(folder) => {
                let text = read_text(&folder.join(commands::file_name(program, arguments))).ok()?;
                Some(Output { text, success: true })
            }
            None if self.is_machine() => commands::run(program, arguments),
            None => None,
        }
    }

    /// The path of `relative` in this tree.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.path.join(relative.trim_start_matches('/'))
    }

    /// A file's text, invalid UTF-8 replaced, cut at 4 MiB.
    pub fn text(&self, relative: &str) -> io::Result<String> {
        read_text(&self.path(relative))
    }

    /// A one-line file's text without surrounding white space; `None` when missing or empty.
    pub fn line(&self, relative: &str) -> Option<String> {
        let text = self.text(relative).ok()?;
        let line = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
        (!line.is_empty()).then(|| line.to_owned())
    }

    /// A one-line file's number.
    pub fn number<T: std::str::FromStr>(&self, relative: &str) -> Option<T> {
        self.line(relative)?.parse().ok()
    }

    /// Names in a folder, sorted; empty when it cannot be read.
    pub fn names(&self, relative: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.path(relative)) else { return Vec::new() };
        let mut names: Vec<String> =
            entries.flatten().filter_map(|e| e.file_name().into_string().ok()).collect();
        names.sort();
        names
    }
}

fn read_text(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE).read_to_end(&mut bytes)?;
    Ok(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(e) => String::from_utf8_lossy(e.as_bytes()).into_owned(),
    })
}

/// Read one line without its end into `line`, keeping at most `cap` bytes of it. False at the end of input.
pub fn read_line_bounded(reader: &mut impl BufRead, line: &mut Vec<u8>, cap: usize) -> io::Result<bool> {
    line.clear();
    let mut any = false;
    loop {
        let buffer = match reader.fill_buf() {
            Ok(buffer) => buffer,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        if buffer.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = buffer.iter().position(|b| *b == b'\n');
        let part = &buffer[..end.unwrap_or(buffer.len())];
        let room = cap.saturating_sub(line.len());
        line.extend_from_slice(&part[..part.len().min(room)]);
        let used = end.map_or(buffer.len(), |at| at + 1);
        reader.consume(used);
        if end.is_some() {
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            return Ok(true);
        }
    }
}
