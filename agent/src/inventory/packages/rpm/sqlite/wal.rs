//! The write-ahead log: newer versions of pages, each with a sum over everything before it.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

use super::long;

/// Pages that the log holds in their last committed version.
#[derive(Debug)]
pub struct Log {
    file: File,
    places: BTreeMap<u32, u64>,
}

impl Log {
    /// `None` when there is no log, or nothing in it counts.
    pub fn open(path: &Path, page_size: usize) -> io::Result<Option<Self>> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut head = [0; 32];
        if file.read_exact(&mut head).is_err() {
            return Ok(None);
        }
        // The last bit says how sums are read: like the machine that wrote them.
        let big_endian = match long(&head, 0) {
            0x377f_0682 => false,
            0x377f_0683 => true,
            _ => return Ok(None),
        };
        let mut sum = Sum { a: 0, b: 0, big_endian };
        sum.add(&head[..24]);
        if !sum.is(&head[24..]) || long(&head, 8) as usize != page_size {
            return Ok(None);
        }
        let places = frames(&mut file, &head, sum, page_size);
        Ok((!places.is_empty()).then_some(Self { file, places }))
    }

    /// Fill `page` with the log's version of it, when it has one.
    pub fn read(&mut self, number: u32, page: &mut [u8]) -> io::Result<bool> {
        let Some(place) = self.places.get(&number) else { return Ok(false) };
        self.file.seek(SeekFrom::Start(*place))?;
        self.file.read_exact(page)?;
        Ok(true)
    }
}

/// Where each page's last committed version is; the first frame whose sum is wrong ends the log.
fn frames(file: &mut File, head: &[u8], mut sum: Sum, page_size: usize) -> BTreeMap<u32, u64> {
    let (mut committed, mut open) = (BTreeMap::new(), BTreeMap::new());
    let mut frame = vec![0; 24 + page_size];
    let mut place = 32_u64;
    while file.read_exact(&mut frame).is_ok() {
        sum.add(&frame[..8]);
        sum.add(&frame[24..]);
        if frame[8..16] != head[16..24] || !sum.is(&frame[16..24]) {
            break;
        }
        open.insert(long(&frame, 0), place + 24);
        // The frame that ends a transaction tells the size of the file.
        if long(&frame, 4) != 0 {
            committed.append(&mut open);
        }
        place += frame.len() as u64;
    }
    committed
}

struct Sum {
    a: u32,
    b: u32,
    big_endian: bool,
}

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        for pair in bytes.chunks_exact(8) {
            let word = |at: usize| {
                let four = [pair[at], pair[at + 1], pair[at + 2], pair[at + 3]];
                if self.big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
            };
            let (first, second) = (word(0), word(4));
            self.a = self.a.wrapping_add(first).wrapping_add(self.b);
            self.b = self.b.wrapping_add(second).wrapping_add(self.a);
        }
    }

    fn is(&self, bytes: &[u8]) -> bool {
        long(bytes, 0) == self.a && long(bytes, 4) == self.b
    }
}
