//! Reading a table of an SQLite file from its first row to its last, with what its write-ahead log adds: as much of the
//! format as that takes, instead of the library, which alone is larger than a tenth of the agent.

mod wal;

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

use super::{MAX_BLOB, damaged};

/// Deeper trees do not occur: each level has hundreds of children.
const DEEPEST: u32 = 12;

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// Another number.
    Real(f64),
    /// Text, invalid UTF-8 replaced.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// An open file.
#[derive(Debug)]
pub struct Database {
    file: File,
    wal: Option<wal::Log>,
    page_size: usize,
    usable: usize,
}

impl Database {
    /// Open for reading. Nothing is locked: a writer that interferes makes the read fail or miss the last change.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut head = [0; 100];
        file.read_exact(&mut head)?;
        if &head[..16] != b"SQLite format 3\0" {
            return Err(damaged("this is no SQLite file"));
        }
        let page_size = match u16::from_be_bytes([head[16], head[17]]) {
            1 => 65_536,
            size => usize::from(size),
        };
        let usable = page_size.saturating_sub(usize::from(head[20]));
        if !page_size.is_power_of_two() || page_size < 512 || usable < 480 {
            return Err(damaged("the page size of the SQLite file makes no sense"));
        }
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let wal = wal::Log::open(Path::new(&log), page_size)?;
        Ok(Self { file, wal, page_size, usable })
    }

    /// Every row of a table.
    pub fn rows(&mut self, table: &str, take: &mut dyn FnMut(&[Value])) -> io::Result<()> {
        let mut root = None;
        // Kind, name, table, first page, statement.
        self.walk(1, 0, &mut |row| match row {
            [Value::Text(kind), Value::Text(name), _, Value::Integer(page), ..]
                if kind == "table" && name.eq_ignore_ascii_case(table) =>
            {
                root = u32::try_from(*page).ok();
            }
            _ => {}
        })?;
        let root = root.ok_or_else(|| damaged("the SQLite file has no such table"))?;
        self.walk(root, 0, take)
    }

    fn page(&mut self, number: u32) -> io::Result<Vec<u8>> {
        let mut page = vec![0; self.page_size];
        if let Some(log) = &mut self.wal
            && log.read(number, &mut page)?
        {
            return Ok(page);
        }
        let place = u64::from(number.checked_sub(1).ok_or_else(|| damaged("there is no page 0"))?);
        self.file.seek(SeekFrom::Start(place * self.page_size as u64))?;
        self.file.read_exact(&mut page)?;
        Ok(page)
    }

    fn walk(&mut self, number: u32, depth: u32, take: &mut dyn FnMut(&[Value])) -> io::Result<()> {
        if depth > DEEPEST {
            return Err(damaged("the tree of the SQLite file is too deep"));
        }
        let page = self.page(number)?;
        // The first page starts with the file's header.
        let start = if number == 1 { 100 } else { 0 };
        let cells = usize::from(short(&page, start + 3));
        match page[start] {
            0x0d => {
                for cell in 0..cells {
                    let place = usize::from(short(&page, start + 8 + 2 * cell));
                    let row = self.cell(&page, place)?;
                    take(&record(&row)?);
                }
            }
            0x05 => {
                for cell in 0..cells {
                    let place = usize::from(short(&page, start + 12 + 2 * cell));
                    self.walk(long(&page, place), depth + 1, take)?;
                }
                self.walk(long(&page, start + 8), depth + 1, take)?;
            }
            _ => return Err(damaged("a page of the SQLite file is of no table")),
        }
        Ok(())
    }

    /// The content of a leaf's cell: what lies on the page, then what lies on pages of its own.
    fn cell(&mut self, page: &[u8], place: usize) -> io::Result<Vec<u8>> {
        let broken = || damaged("a row of the SQLite file is cut");
        let (length, place) = varint(page, place).ok_or_else(broken)?;
        let (_row, place) = varint(page, place).ok_or_else(broken)?;
        let length = usize::try_from(length).ok().filter(|length| *length <= MAX_BLOB).ok_or_else(broken)?;
        let local = self.local(length);
        let mut content = page.get(place..place + local).ok_or_else(broken)?.to_vec();
        let mut next = if local < length { long(page, place + local) } else { 0 };
        while content.len() < length {
            if next == 0 {
                return Err(broken());
            }
            let page = self.page(next)?;
            let part = (length - content.len()).min(self.usable - 4);
            content.extend_from_slice(&page[4..4 + part]);
            next = long(&page, 0);
        }
        Ok(content)
    }

    /// How much of a content of this length lies on the leaf itself.
    fn local(&self, length: usize) -> usize {
        let most = self.usable - 35;
        if length <= most {
            return length;
        }
        let least = (self.usable - 12) * 32 / 255 - 23;
        let fitting = least + (length - least) % (self.usable - 4);
        if fitting <= most { fitting } else { least }
    }
}

/// The values of a row: their kinds first, then they themselves.
fn record(row: &[u8]) -> io::Result<Vec<Value>> {
    let broken = || damaged("a row of the SQLite file makes no sense");
    let (head, mut at) = varint(row, 0).ok_or_else(broken)?;
    let head = usize::try_from(head).ok().filter(|head| *head <= row.len()).ok_or_else(broken)?;
    let (mut values, mut place) = (Vec::new(), head);
    while at < head {
        let (kind, next) = varint(row, at).ok_or_else(broken)?;
        at = next;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(kind).map_err(|_| broken())?,
            5 => 6,
            6 | 7 => 8,
            _ => usize::try_from(kind.saturating_sub(12) / 2).map_err(|_| broken())?,
        };
        let end = place.checked_add(length).ok_or_else(broken)?;
        let bytes = row.get(place..end).ok_or_else(broken)?;
        place = end;
        values.push(value(kind, bytes));
    }
    Ok(values)
}

fn value(kind: u64, bytes: &[u8]) -> Value {
    match kind {
        1..=6 => {
            let sign = if bytes.first().is_some_and(|b| b & 0x80 != 0) { -1_i64 } else { 0 };
            Value::Integer(bytes.iter().fold(sign, |number, b| number << 8 | i64::from(*b)))
        }
        7 => Value::Real(f64::from_be_bytes(bytes.try_into().unwrap_or_default())),
        8 => Value::Integer(0),
        9 => Value::Integer(1),
        kind if kind >= 13 && kind % 2 == 1 => Value::Text(String::from_utf8_lossy(bytes).into_owned()),
        kind if kind >= 12 => Value::Blob(bytes.to_vec()),
        _ => Value::Null,
    }
}

/// A number of one to nine bytes, seven bits in each but the ninth, and where it ends.
fn varint(bytes: &[u8], mut at: usize) -> Option<(u64, usize)> {
    let mut number = 0_u64;
    for byte in 0..9 {
        let next = *bytes.get(at)?;
        at += 1;
        if byte == 8 {
            return Some((number << 8 | u64::from(next), at));
        }
        number = number << 7 | u64::from(next & 0x7f);
        if next & 0x80 == 0 {
            break;
        }
    }
    Some((number, at))
}

fn short(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).and_then(|two| two.try_into().ok()).map_or(0, u16::from_be_bytes)
}

fn long(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_be_bytes)
}
