//! Archives that are broken, hostile or too large.

use std::sync::LazyLock;

use chrono::Utc;
use plugin_packager::write_archive;
use plugin_runtime::{Limits, Package, Policy};
use proptest::prelude::*;

use crate::kit::{KEYS, archive, bytes, code, draft, entries, host, verify};

static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| bytes(&draft().seal().unwrap()));

fn compress(tar: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(tar, 1).unwrap()
}

fn header(path: &[u8], size: u64, kind: tar::EntryType) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.as_old_mut().name[..path.len()].copy_from_slice(path);
    header.set_size(size);
    header.set_mode(0o644);
    header.set_entry_type(kind);
    header.set_cksum();
    header
}

/// A good package with one more entry of the raw kind.
fn with_entry(path: &[u8], kind: tar::EntryType) -> &'static str {
    let mut tar = zstd::stream::decode_all(&GOOD[..]).unwrap();
    tar.truncate(tar.len() - 1024);
    tar.extend_from_slice(header(path, 0, kind).as_bytes());
    tar.extend_from_slice(&[0; 1024]);
    code(&compress(&tar))
}

#[test]
fn names_that_climb_or_are_odd_are_refused() {
    for path in ["../evil", "/etc/passwd", "a/../b", "a//b", "./a", "a\\b", "c:evil", "a\nb", "ui/", ".."] {
        assert_eq!(with_entry(path.as_bytes(), tar::EntryType::Regular), "unsafe_path", "{path:?}");
    }
    assert_eq!(with_entry(b"\xff\xfe", tar::EntryType::Regular), "unsafe_path");
}

#[test]
fn only_plain_files_are_accepted() {
    use tar::EntryType::{
        Block, Char, Directory, Fifo, GNULongName, GNUSparse, Link, Symlink, XGlobalHeader, XHeader,
    };
    for kind in [Symlink, Link, Char, Block, Directory, Fifo, GNULongName, GNUSparse, XHeader, XGlobalHeader]
    {
        assert_eq!(with_entry(b"ui/thing", kind), "not_a_regular_file", "{kind:?}");
    }
}

#[test]
fn what_is_no_archive_is_refused() {
    assert_eq!(code(b""), "truncated");
    assert_eq!(code(b"PK\x03\x04 a zip perhaps"), "malformed_archive");
    assert_eq!(code(&compress(b"not a tar")), "truncated");
    assert_eq!(code(&compress(&[b'x'; 4096])), "malformed_archive");
    let mut more = GOOD.clone();
    more.push(0);
    assert_eq!(code(&more), "malformed_archive");
    let mut twice = GOOD.clone();
    twice.extend_from_slice(&GOOD);
    assert_eq!(code(&twice), "malformed_archive");
    let mut tar = zstd::stream::decode_all(&GOOD[..]).unwrap();
    let end = tar.len();
    tar.extend_from_slice(&tar.clone());
    assert_eq!(code(&compress(&tar)), "malformed_archive", "a second archive behind the first");
    tar.truncate(end - 1024);
    assert_eq!(code(&compress(&tar)), "truncated", "no end of the archive");
    let padded = [zstd::stream::decode_all(&GOOD[..]).unwrap(), vec![0; 9216]].concat();
    assert!(verify(&compress(&padded)).is_ok(), "tar programs pad with zeros");
}

#[test]
fn bombs_are_refused_before_they_are_unpacked() {
    // Unsigned: stopped at the first file.
    let bomb = archive(&[("plugin.toml".into(), vec![b'#'; 64 << 20])]);
    assert!(bomb.len() < 1 << 20);
    assert_eq!(code(&bomb), "too_large");
    // A header that promises more than is there.
    let lie = header(b"plugin.toml", 1 << 33, tar::EntryType::Regular);
    assert_eq!(code(&compress(lie.as_bytes())), "too_large");
    // Zeros behind the end of the archive.
    let mut tar = zstd::stream::decode_all(&GOOD[..]).unwrap();
    tar.resize(tar.len() + (64 << 20), 0);
    assert_eq!(code(&compress(&tar)), "malformed_archive");
}

#[test]
fn limits_hold_even_for_what_is_signed() {
    let mut large = draft();
    large.file("ui/large.bin", vec![0; 1 << 20]);
    let large = bytes(&large.seal().unwrap());
    let refused = |limits: Limits| {
        let store = KEYS.store();
        let policy = Policy { limits, ..Policy::new(&store, Utc::now(), host()) };
        Package::verify(&large[..], &policy).err().map(|r| r.code())
    };
    assert_eq!(refused(Limits::DEFAULT), None);
    assert_eq!(refused(Limits { file: 1 << 19, ..Limits::DEFAULT }), Some("too_large"));
    assert_eq!(refused(Limits { decompressed: 1 << 20, ..Limits::DEFAULT }), Some("too_large"));
    assert_eq!(refused(Limits { entries: 2, ..Limits::DEFAULT }), Some("too_large"));
    assert_eq!(refused(Limits { compressed: 100, ..Limits::DEFAULT }), Some("too_large"));
    let entries = entries(&draft().seal().unwrap());
    let mut out = Vec::new();
    let mut encoder = zstd::stream::write::Encoder::new(&mut out, 1).unwrap();
    encoder.window_log(27).unwrap();
    encoder.long_distance_matching(true).unwrap();
    let mut tar = Vec::new();
    write_archive(entries.iter().map(|(p, c)| (p.as_str(), c.as_slice())), 1, &mut tar).unwrap();
    std::io::copy(&mut &zstd::stream::decode_all(&tar[..]).unwrap()[..], &mut encoder).unwrap();
    encoder.finish().unwrap();
    assert_eq!(code(&out), "too_large", "a window of 128 MiB");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_truncated_package_is_never_accepted(share in 0.0..1.0f64) {
        let at = (GOOD.len() as f64 * share) as usize;
        let refusal = verify(&GOOD[..at]).unwrap_err();
        prop_assert_eq!(refusal.code(), "truncated");
    }

    #[test]
    fn a_damaged_package_is_refused_or_the_same(at in 0..GOOD.len(), bit in 0..8u8) {
        let mut bytes = GOOD.clone();
        bytes[at] ^= 1 << bit;
        if let Ok(package) = verify(&bytes) {
            let good = verify(&GOOD).unwrap();
            prop_assert_eq!(package.manifest_bytes(), good.manifest_bytes());
            prop_assert!(package.files("").eq(good.files("")));
        }
    }

    #[test]
    fn a_damaged_archive_is_never_accepted(at in 0..4096usize, value: u8) {
        let mut tar = zstd::stream::decode_all(&GOOD[..]).unwrap();
        let at = at % tar.len();
        let before = std::mem::replace(&mut tar[at], value);
        if let Ok(package) = verify(&compress(&tar)) {
            // Fields of a tar header that nobody reads, such as the owner, are under its checksum.
            prop_assert!(before == value || package.manifest().id == "fixture");
        }
    }

    #[test]
    fn random_bytes_are_never_accepted(bytes in proptest::collection::vec(any::<u8>(), 0..2048)) {
        prop_assert!(verify(&bytes).is_err());
        prop_assert!(verify(&compress(&bytes)).is_err());
    }
}
