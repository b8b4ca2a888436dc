//! Berkeley DB's hash table, which rpm used until 2020: pages of pairs, large values in chains of pages of their own.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

use super::{MAX_BLOB, damaged};

/// What a hash table starts with, at offset 12.
const HASH: u32 = 0x0006_1561;
const PAGE_HEAD: usize = 26;
/// Kinds of pages.
const HASH_UNSORTED: u8 = 2;
const OVERFLOW: u8 = 7;
const HASH_SORTED: u8 = 13;
/// Kinds of items.
const ON_PAGE: u8 = 1;
const OFF_PAGE: u8 = 3;

struct Table {
    file: File,
    page_size: usize,
    last_page: u32,
    big_endian: bool,
}

/// Each value of the table.
pub fn entries(path: &Path, take: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    let mut table = Table::open(path)?;
    for number in 0..=table.last_page {
        let page = table.page(number)?;
        if matches!(page[25], HASH_UNSORTED | HASH_SORTED) {
            table.values(&page, take)?;
        }
    }
    Ok(())
}

impl Table {
    fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut head = [0; 72];
        file.read_exact(&mut head)?;
        let magic: [u8; 4] = head[12..16].try_into().unwrap_or_default();
        let big_endian = match (u32::from_le_bytes(magic), u32::from_be_bytes(magic)) {
            (HASH, _) => false,
            (_, HASH) => true,
            _ => return Err(damaged("this is no Berkeley DB hash table")),
        };
        let mut table = Self { file, page_size: 0, last_page: 0, big_endian };
        table.page_size = table.number(&head, 20) as usize;
        table.last_page = table.number(&head, 32);
        if !(512..=65_536).contains(&table.page_size) {
            return Err(damaged("the page size of the rpm database makes no sense"));
        }
        Ok(table)
    }

    fn page(&mut self, number: u32) -> io::Result<Vec<u8>> {
        let mut page = vec![0; self.page_size];
        self.file.seek(SeekFrom::Start(u64::from(number) * self.page_size as u64))?;
        self.file.read_exact(&mut page)?;
        Ok(page)
    }

    /// Items lie from the end of the page to its middle; every second is a value.
    fn values(&mut self, page: &[u8], take: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        let count = self.short(page, 20);
        let mut end = page.len();
        for at in 0..count {
            let start = self.short(page, PAGE_HEAD + 2 * at);
            let item = page.get(start..end).filter(|item| !item.is_empty());
            let item = item.ok_or_else(|| damaged("an entry of the rpm database lies outside its page"))?;
            end = start;
            match item[0] {
                ON_PAGE if at % 2 == 1 => take(&item[1..]),
                OFF_PAGE if at % 2 == 1 && item.len() >= 12 => {
                    let (first, length) = (self.number(item, 4), self.number(item, 8));
                    take(&self.chain(first, length as usize)?);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A value that is spread over pages of its own.
    fn chain(&mut self, mut number: u32, length: usize) -> io::Result<Vec<u8>> {
        if length > MAX_BLOB {
            return Err(damaged("an entry of the rpm database is too large"));
        }
        let mut value = Vec::with_capacity(length);
        // A chain longer than its value would need goes in circles.
        for _ in 0..=length / (self.page_size - PAGE_HEAD) {
            if number == 0 || value.len() >= length {
                break;
            }
            let page = self.page(number)?;
            let used = self.short(&page, 22);
            let part = page.get(PAGE_HEAD..PAGE_HEAD + used).filter(|_| page[25] == OVERFLOW);
            value.extend_from_slice(part.ok_or_else(|| damaged("a chain of the rpm database is broken"))?);
            number = self.number(&page, 16);
        }
        value.truncate(length);
        Ok(value)
    }

    fn number(&self, bytes: &[u8], at: usize) -> u32 {
        let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).unwrap_or_default();
        if self.big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
    }

    fn short(&self, bytes: &[u8], at: usize) -> usize {
        let two = bytes.get(at..at + 2).and_then(|two| two.try_into().ok()).unwrap_or_default();
        usize::from(if self.big_endian { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) })
    }
}
