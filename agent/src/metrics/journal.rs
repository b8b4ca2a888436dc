//! Looks that wait for the host, in a file, so that a restart of the agent loses none of them.
//!
//! Records are added at the end, one a minute, and the file is emptied when the host has stored them all: beside a
//! reachable host it holds ten minutes. A record that a crash cut short ends the file.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use agent_protocol::UnixMs;
use serde::{Deserialize, Serialize};

use crate::storage;

/// The file is written anew, with the newest looks in half of this, before it becomes larger.
pub const LARGEST: u64 = 4 << 20;
/// No record is larger: a look has at most `MAX_SERIES` figures of ten bytes.
const LARGEST_RECORD: usize = 16 << 10;

/// Figures of a look, each by its name's number.
pub type Look = (UnixMs, Vec<(u16, f32)>);

/// What the file says, in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Record {
    /// The next name.
    Name(String),
    /// A look.
    Look(UnixMs, Vec<(u16, f32)>),
    /// The host has everything before this moment.
    Stored(UnixMs),
}

/// The open file.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    bytes: u64,
    /// How many names it knows.
    names: usize,
}

impl Journal {
    /// Open the file, made when it is missing, and tell what it says.
    pub fn open(path: &Path) -> io::Result<(Self, Vec<Record>)> {
        let mut bytes = Vec::new();
        match File::open(path) {
            Ok(file) => drop(file.take(2 * LARGEST).read_to_end(&mut bytes)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let (records, good) = records(&bytes);
        let file = storage::append_private(path)?;
        // What follows a torn record would never be read.
        file.set_len(good)?;
        let names = records.iter().filter(|record| matches!(record, Record::Name(_))).count();
        Ok((Self { path: path.to_owned(), file, bytes: good, names }, records))
    }

    /// Add a look, and names that are new.
    pub fn keep(&mut self, names: &[String], look: &Look) -> io::Result<()> {
        let new = names.get(self.names..).unwrap_or_default();
        let mut written = Vec::new();
        for name in new {
            append(&mut written, &Record::Name(name.clone()))?;
        }
        append(&mut written, &Record::Look(look.0, look.1.clone()))?;
        self.add(&written)?;
        self.names += new.len();
        Ok(())
    }

    /// The host has everything before `until`.
    pub fn stored(&mut self, until: UnixMs) -> io::Result<()> {
        let mut written = Vec::new();
        append(&mut written, &Record::Stored(until))?;
        self.add(&written)
    }

    /// No look waits any more.
    pub fn clear(&mut self) -> io::Result<()> {
        (self.bytes, self.names) = (0, 0);
        self.file.set_len(0)
    }

    /// Whether it is time for [`Journal::rewrite`].
    pub fn is_full(&self) -> bool {
        self.bytes + LARGEST_RECORD as u64 > LARGEST
    }

    /// Write it anew: the newest of the looks that wait.
    pub fn rewrite<'a>(
        &mut self,
        names: &[String],
        looks: impl DoubleEndedIterator<Item = &'a Look>,
    ) -> io::Result<()> {
        let (mut written, mut newest) = (Vec::new(), Vec::new());
        for name in names {
            append(&mut written, &Record::Name(name.clone()))?;
        }
        let mut room = (LARGEST / 2).saturating_sub(written.len() as u64);
        for look in looks.rev() {
            let mut record = Vec::new();
            append(&mut record, &Record::Look(look.0, look.1.clone()))?;
            let Some(rest) = room.checked_sub(record.len() as u64) else { break };
            room = rest;
            newest.push(record);
        }
        written.extend(newest.into_iter().rev().flatten());
        storage::write_private(&self.path, &written)?;
        self.file = storage::append_private(&self.path)?;
        (self.bytes, self.names) = (written.len() as u64, names.len());
        Ok(())
    }

    /// No sync: a machine that loses power loses minutes in any case, and disks last longer.
    fn add(&mut self, written: &[u8]) -> io::Result<()> {
        if let Err(error) = self.file.write_all(written) {
            // Half a record would hide what comes after it.
            self.file.set_len(self.bytes)?;
            return Err(error);
        }
        self.bytes += written.len() as u64;
        Ok(())
    }
}

/// Its length in four bytes, then MessagePack.
fn append(written: &mut Vec<u8>, record: &Record) -> io::Result<()> {
    let body = rmp_serde::to_vec(record).map_err(io::Error::other)?;
    if body.len() > LARGEST_RECORD {
        return Err(io::ErrorKind::InvalidData.into());
    }
    written.extend((body.len() as u32).to_be_bytes());
    written.extend(body);
    Ok(())
}

/// Whole records from the beginning, and how many bytes they take.
fn records(mut bytes: &[u8]) -> (Vec<Record>, u64) {
    let (mut records, mut good) = (Vec::new(), 0);
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        let Some((body, rest)) = rest.split_at_checked(length).filter(|_| length <= LARGEST_RECORD) else {
            break;
        };
        let Ok(record) = rmp_serde::from_slice(body) else { break };
        records.push(record);
        good += 4 + length as u64;
        bytes = rest;
    }
    (records, good)
}
