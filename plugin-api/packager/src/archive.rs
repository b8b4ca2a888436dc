//! Writes and reads the archive: ustar in one zstd frame, nothing in it but names and contents.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use crate::PackError;

/// Compression level of packages: close to the best, in a tenth of its time.
pub const DEFAULT_LEVEL: i32 = 9;
/// Most that is read of a package, unpacked, in bytes.
const MAX_UNPACKED: u64 = 1 << 30;
/// Logarithm of the window: 8 MiB, well within what hosts accept.
const WINDOW_LOG: u32 = 23;

/// Write entries in the given order. The same entries give the same bytes: owner, time and mode are fixed.
///
/// # Errors
/// [`PackError::Name`] when ustar cannot hold a name, [`PackError::Archive`] when `out` fails.
pub fn write_archive<'a>(
    entries: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    level: i32,
    out: impl Write,
) -> Result<(), PackError> {
    let mut encoder = zstd::stream::write::Encoder::new(out, level).map_err(PackError::Archive)?;
    encoder.include_checksum(true).map_err(PackError::Archive)?;
    encoder.window_log(WINDOW_LOG).map_err(PackError::Archive)?;
    let mut tar = tar::Builder::new(encoder);
    for (path, content) in entries {
        let mut header = tar::Header::new_ustar();
        header.set_path(path).map_err(|_| PackError::Name(path.to_owned()))?;
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        header.set_entry_type(tar::EntryType::Regular);
        header.set_cksum();
        tar.append(&header, content).map_err(PackError::Archive)?;
    }
    let encoder = tar.into_inner().map_err(PackError::Archive)?;
    encoder.finish().map_err(PackError::Archive)?.flush().map_err(PackError::Archive)
}

/// Every file of an archive by name. For packages of one's own: hosts read with `plugin-runtime`, which trusts nothing.
pub(crate) fn read_archive(file: impl Read) -> Result<BTreeMap<String, Vec<u8>>, PackError> {
    let decoder = zstd::stream::read::Decoder::new(file).map_err(PackError::Archive)?;
    let mut tar = tar::Archive::new(decoder.take(MAX_UNPACKED));
    let mut files = BTreeMap::new();
    for entry in tar.entries().map_err(PackError::Archive)? {
        let mut entry = entry.map_err(PackError::Archive)?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(PackError::Archive)?;
        files.insert(path, content);
    }
    Ok(files)
}
