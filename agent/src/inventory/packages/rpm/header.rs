//! A package's header as rpm stores it: an index of tags, then their values; all numbers big-endian.

use crate::inventory::packages::{self, Package};

const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const EPOCH: u32 = 1003;
const SUMMARY: u32 = 1004;
const SIZE: u32 = 1009;
const ARCH: u32 = 1022;
const SOURCE: u32 = 1044;
const LONG_SIZE: u32 = 5009;

/// More tags than any header has.
const MOST_TAGS: usize = 65_536;

/// The package that a header describes; `None` when it is damaged or describes a key.
pub fn package(blob: &[u8]) -> Option<Package> {
    let (count, length) = (number(blob, 0)? as usize, number(blob, 4)? as usize);
    let index = blob.get(8..8 + count.min(MOST_TAGS).checked_mul(16)?)?;
    let values = blob.get(8 + count.checked_mul(16)?..)?;
    let values = &values[..length.min(values.len())];
    let find = |tag: u32| {
        let entry = index.chunks_exact(16).find(|entry| number(entry, 0) == Some(tag))?;
        values.get(number(entry, 8)? as usize..)
    };
    let text = |tag: u32| {
        let bytes = find(tag)?;
        let end = bytes.iter().position(|b| *b == 0)?;
        Some(String::from_utf8_lossy(&bytes[..end]).into_owned())
    };
    let size = find(LONG_SIZE)
        .and_then(|bytes| Some(u64::from_be_bytes(bytes.get(..8)?.try_into().ok()?)))
        .or_else(|| find(SIZE).and_then(|bytes| number(bytes, 0)).map(u64::from));
    let name = text(NAME)?;
    // Keys that packages are checked with are kept like packages.
    if name == "gpg-pubkey" {
        return None;
    }
    let arch = text(ARCH).unwrap_or_default();
    let (version, release) = (text(VERSION)?, text(RELEASE)?);
    let epoch = find(EPOCH).and_then(|bytes| number(bytes, 0)).filter(|epoch| *epoch > 0);
    let source = text(SOURCE).and_then(|file| split_source(&file)).unwrap_or_default();
    let plain = format!("{version}-{release}");
    Some(Package {
        key: packages::key("rpm", &name, &arch),
        title: text(SUMMARY).and_then(|summary| packages::title(&summary)),
        source: Some(source.0).filter(|source| !source.is_empty() && *source != name),
        source_version: Some(source.1).filter(|version| !version.is_empty() && *version != plain),
        installed_kib: size.map(|bytes| bytes.div_ceil(1024)),
        version: epoch.map_or_else(|| plain.clone(), |epoch| format!("{epoch}:{plain}")),
        manager: "rpm".into(),
        name,
        arch,
        ..Package::default()
    })
}

/// `bash-5.1.8-9.el9.src.rpm` is a name and a version.
fn split_source(file: &str) -> Option<(String, String)> {
    let mut parts = file.strip_suffix(".src.rpm")?.rsplitn(3, '-');
    let (release, version, name) = (parts.next()?, parts.next()?, parts.next()?);
    Some((name.to_owned(), format!("{version}-{release}")))
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
