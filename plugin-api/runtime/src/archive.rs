//! Reads a `.engine` file: one zstd frame holding a plain ustar archive. Entries come in order, within limits, and
//! nothing is written anywhere.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};

use ring::digest;
use zstd::stream::read::Decoder;

use crate::refusal::RefusalKind::{
    DuplicatePath, MalformedArchive, NotARegularFile, TooLarge, Truncated, Unreadable, UnsafePath,
};
use crate::{Limits, Refusal};

const BLOCK: usize = 512;
/// Zeros that tar programs add to fill a record; more than this is no padding.
const MAX_PADDING: u64 = 1 << 20;

/// Name and size of an entry whose content comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) path: String,
    pub(crate) size: u64,
}

/// Counts and hashes what is read of the file, and stops at the limit.
struct Metered<R> {
    inner: R,
    left: u64,
    hash: digest::Context,
}

#[derive(Debug, thiserror::Error)]
#[error("limit reached")]
struct LimitReached;

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buf)?;
        let left = self.left.checked_sub(n as u64);
        self.left = left.ok_or_else(|| std::io::Error::other(LimitReached))?;
        self.hash.update(buf.get(..n).unwrap_or_default());
        Ok(n)
    }
}

/// An archive that is being read.
pub(crate) struct Archive<R: Read> {
    decoder: Decoder<'static, BufReader<Metered<R>>>,
    limits: Limits,
    unpacked: u64,
    seen: BTreeSet<String>,
}

impl<R: Read> Archive<R> {
    pub(crate) fn new(file: R, limits: Limits) -> Result<Self, Refusal> {
        let metered =
            Metered { inner: file, left: limits.compressed, hash: digest::Context::new(&digest::SHA256) };
        let mut decoder = Decoder::with_buffer(BufReader::with_capacity(1 << 16, metered)).map_err(refuse)?;
        decoder.window_log_max(limits.window_log).map_err(refuse)?;
        let decoder = decoder.single_frame();
        Ok(Self { decoder, limits, unpacked: 0, seen: BTreeSet::new() })
    }

    /// The next entry, `None` at the end of the archive. The one before must have been read.
    pub(crate) fn next_entry(&mut self) -> Result<Option<Entry>, Refusal> {
        let mut block = [0; BLOCK];
        self.read_exact(&mut block)?;
        if block == [0; BLOCK] {
            return Ok(None);
        }
        if self.seen.len() >= self.limits.entries {
            return Err(Refusal::new(
                TooLarge,
                format!("The package holds more than {} files.", self.limits.entries),
            ));
        }
        let entry = parse_header(&block)?;
        if entry.size > self.limits.file {
            let max = self.limits.file;
            return Err(Refusal::new(
                TooLarge,
                format!("`{}` has {} bytes; at most {max} are read.", entry.path, entry.size),
            ));
        }
        if !self.seen.insert(entry.path.to_lowercase()) {
            return Err(Refusal::new(DuplicatePath, format!("The package holds `{}` twice.", entry.path)));
        }
        Ok(Some(entry))
    }

    /// Hand the entry's content to `sink` in pieces.
    pub(crate) fn copy(
        &mut self,
        entry: &Entry,
        mut sink: impl FnMut(&[u8]) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let mut buffer = vec![0; 1 << 16];
        let mut left = entry.size;
        while left > 0 {
            let want = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            let piece = &mut buffer[..want];
            self.read_exact(piece)?;
            sink(piece)?;
            left -= want as u64;
        }
        let padding = (BLOCK as u64 - entry.size % BLOCK as u64) % BLOCK as u64;
        self.read_exact(&mut [0; BLOCK][..usize::try_from(padding).unwrap_or(0)])
    }

    /// The entry's content.
    pub(crate) fn read(&mut self, entry: &Entry) -> Result<Vec<u8>, Refusal> {
        let mut content = Vec::new();
        self.copy(entry, |piece| {
            content.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(content)
    }

    /// After the last entry: only zeros may follow, then the frame and the file must end. Gives the file's SHA-256.
    pub(crate) fn finish(mut self) -> Result<[u8; 32], Refusal> {
        let mut buffer = [0; 4096];
        let mut padding = 0;
        loop {
            let n = self.decoder.read(&mut buffer).map_err(refuse)?;
            if n == 0 {
                break;
            }
            padding += n as u64;
            if padding > MAX_PADDING || buffer[..n].iter().any(|b| *b != 0) {
                return Err(Refusal::new(MalformedArchive, "Data follows the end of the archive."));
            }
        }
        let mut file = self.decoder.finish();
        if !file.fill_buf().map_err(refuse)?.is_empty() {
            return Err(Refusal::new(MalformedArchive, "Data follows the compressed archive."));
        }
        let mut out = [0; 32];
        out.copy_from_slice(file.into_inner().hash.finish().as_ref());
        Ok(out)
    }

    fn read_exact(&mut self, buf: &mut [u8]) -> Result<(), Refusal> {
        self.unpacked += buf.len() as u64;
        if self.unpacked > self.limits.decompressed {
            let max = self.limits.decompressed;
            return Err(Refusal::new(TooLarge, format!("The package unpacks to more than {max} bytes.")));
        }
        self.decoder.read_exact(buf).map_err(refuse)
    }
}

fn refuse(error: std::io::Error) -> Refusal {
    if error.get_ref().is_some_and(|e| e.is::<LimitReached>()) {
        return Refusal::new(TooLarge, "The package file is larger than packages may be.");
    }
    if error.raw_os_error().is_some() {
        return Refusal::new(Unreadable, format!("The package cannot be read: {error}."));
    }
    if error.kind() == std::io::ErrorKind::UnexpectedEof {
        return Refusal::new(Truncated, "The package ends before its last file; transfer it again.");
    }
    if error.to_string().contains("too much memory") {
        return Refusal::new(TooLarge, "The package asks for a larger zstd window than packages may.");
    }
    Refusal::new(MalformedArchive, format!("The package is damaged or is no tar.zst: {error}."))
}

fn parse_header(block: &[u8; BLOCK]) -> Result<Entry, Refusal> {
    let header = tar::Header::from_byte_slice(block);
    let stored =
        header.cksum().map_err(|e| Refusal::new(MalformedArchive, format!("Bad tar header: {e}.")))?;
    let sum: u32 = block
        .iter()
        .enumerate()
        .map(|(i, b)| u32::from(if (148..156).contains(&i) { b' ' } else { *b }))
        .sum();
    if sum != stored {
        return Err(Refusal::new(MalformedArchive, "A tar header does not match its checksum."));
    }
    let bytes = header.path_bytes();
    let path = std::str::from_utf8(&bytes)
        .map_err(|_| Refusal::new(UnsafePath, "A file's name is not UTF-8."))?
        .to_owned();
    let kind = header.entry_type();
    if kind != tar::EntryType::Regular {
        let what = path.escape_debug();
        return Err(Refusal::new(NotARegularFile, format!("`{what}` is not a plain file ({kind:?}).")));
    }
    if !is_safe(&path) {
        let what = path.escape_debug();
        return Err(Refusal::new(UnsafePath, format!("`{what}` is no name that a package may hold.")));
    }
    let size = header.entry_size();
    let size = size.map_err(|e| Refusal::new(MalformedArchive, format!("Bad size in a tar header: {e}.")))?;
    Ok(Entry { path, size })
}

/// The same rule as the manifest's: relative, no odd parts, printable.
fn is_safe(path: &str) -> bool {
    path.len() <= 240
        && !path.contains(['\\', ':'])
        && path.chars().all(|c| !c.is_control())
        && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}
