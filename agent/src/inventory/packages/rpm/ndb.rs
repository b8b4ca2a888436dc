//! rpm's own database: a table of slots, each of which points at a blob; all numbers little-endian.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

use super::{MAX_BLOB, damaged};

/// Slots are counted in pages of this size.
const PAGE: u64 = 4096;
const SLOT: usize = 16;
/// Offsets are counted in blocks of this size.
const BLOCK: u64 = 16;
/// More pages of slots than any database has.
const MOST_PAGES: u32 = 4096;

/// Each blob of the database.
pub fn entries(path: &Path, take: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut head = [0; 32];
    file.read_exact(&mut head)?;
    if &head[..4] != b"RpmP" {
        return Err(damaged("this is no rpm database"));
    }
    let pages = number(&head, 12).min(MOST_PAGES);
    let mut slots = vec![0; usize::try_from(u64::from(pages) * PAGE).unwrap_or(0).saturating_sub(head.len())];
    file.read_exact(&mut slots)?;
    for slot in slots.chunks_exact(SLOT).filter(|slot| &slot[..4] == b"Slot" && number(slot, 4) != 0) {
        let mut head = [0; 16];
        file.seek(SeekFrom::Start(u64::from(number(slot, 8)) * BLOCK))?;
        file.read_exact(&mut head)?;
        let length = number(&head, 12) as usize;
        if &head[..4] != b"BlbS" || number(&head, 4) != number(slot, 4) || length > MAX_BLOB {
            return Err(damaged("a blob of the rpm database is not where it should be"));
        }
        let mut blob = vec![0; length];
        file.read_exact(&mut blob)?;
        take(&blob);
    }
    Ok(())
}

fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_le_bytes)
}
