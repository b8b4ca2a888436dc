//! Archives built from arbitrary entries beside a properly signed manifest: what is accepted is what was signed.
#![no_main]

use std::{collections::BTreeMap, sync::LazyLock};

use arbitrary::Arbitrary;
use chrono::Utc;
use libfuzzer_sys::fuzz_target;
use license_issuer::{Credential, development};
use plugin_packager::{Draft, SealedPackage};
use plugin_runtime::{Limits, Package, Policy, Side, TARGET};
use semver::Version;
use tar::{EntryType, Header};
use trust::TrustStore;

const TEMPLATE: &str = include_str!("../../plugins/example/plugin.toml");

static TRUST: LazyLock<TrustStore> = LazyLock::new(TrustStore::built_in);
static PUBLISHER: LazyLock<Credential> = LazyLock::new(development::publisher_signer);

/// A package and what is done to it.
#[derive(Debug, Arbitrary)]
struct Input {
    /// Files that the manifest lists.
    listed: Vec<(Name, Vec<u8>)>,
    /// Entries in place of the good ones; none leaves the package whole.
    entries: Option<Vec<Entry>>,
    /// What follows the archive, inside the frame and behind it.
    tail: (Vec<u8>, Vec<u8>),
}

#[derive(Debug, Arbitrary)]
enum Entry {
    /// The good entry of this number.
    Good(u8),
    /// The good entry with a byte changed.
    Damaged(u8, u16, u8),
    /// A good content under another name, type or length.
    Odd { good: u8, name: Name, kind: u8, size: Option<u64> },
    /// Any block.
    Block(Vec<u8>),
}

/// Names that packages could hold, and those they must not.
#[derive(Debug, Arbitrary)]
enum Name {
    Ui(u8),
    Parent,
    Absolute,
    Library,
    Manifest,
    Any(String),
}

impl Name {
    fn text(&self) -> String {
        match self {
            Self::Ui(n) => format!("ui/{n}.js"),
            Self::Parent => "ui/../../x".into(),
            Self::Absolute => "/etc/x".into(),
            Self::Library => format!("lib/{TARGET}/libexample.so"),
            Self::Manifest => "Plugin.toml".into(),
            Self::Any(text) => text.clone(),
        }
    }
}

fuzz_target!(|input: Input| {
    let Some(package) = signed(&input) else { return };
    let good = good_entries(&package);
    let file = archive(&input, &good);
    let limits = Limits { decompressed: 4 << 20, ..Limits::DEFAULT };
    let policy = Policy { limits, ..Policy::new(&TRUST, Utc::now(), Side::Host(Version::new(0, 1, 0))) };
    let verified = Package::verify(&file[..], &policy);
    let Ok(verified) = verified.inspect_err(|error| refused(&input, &good, error)) else { return };
    assert_eq!(verified.manifest_bytes(), package.manifest_toml());
    let signed: BTreeMap<&str, &[u8]> = package.files().filter(|(p, _)| !p.starts_with("lib/")).collect();
    let read: BTreeMap<&str, &[u8]> =
        verified.files("").filter(|(p, _)| !p.starts_with("lib/")).map(|(p, c)| (p, &c[..])).collect();
    assert_eq!(read, signed);
    assert!(read.keys().all(|p| !p.starts_with('/') && !p.contains("..")));
});

/// A package that nothing was done to is accepted.
fn refused(input: &Input, good: &[(String, Vec<u8>)], error: &dyn std::fmt::Display) {
    let whole = input.entries.is_none() && input.tail.0.is_empty() && input.tail.1.is_empty();
    // Longer names need the second field of a tar header, which `block` does not fill.
    let short = good.iter().all(|(name, _)| name.len() <= 100);
    // Names that differ in case alone would be one file on some systems.
    let distinct: std::collections::BTreeSet<String> =
        good.iter().map(|(name, _)| name.to_lowercase()).collect();
    let distinct = distinct.len() == good.len();
    assert!(!whole || !short || !distinct, "a whole package is refused: {error}");
}

fn signed(input: &Input) -> Option<SealedPackage> {
    // Signed with the development key, whose certificate names another publisher.
    let template = TEMPLATE.replace("\"SysManage\"", "\"DEVELOPMENT ONLY publisher\"");
    let mut draft = Draft::new(&template, Utc::now()).expect("the example's manifest is good");
    draft.library(TARGET, b"not really a library".to_vec());
    // What the template names as its pages.
    draft.file("ui/index.js", b"export {}".to_vec());
    for (name, content) in input.listed.iter().take(8) {
        draft.file(&name.text(), content.clone());
    }
    draft.seal().ok()
}

fn good_entries(package: &SealedPackage) -> Vec<(String, Vec<u8>)> {
    let signatures = PUBLISHER.sign_package(package.manifest_toml()).expect("a key in memory signs");
    let mut entries = vec![
        ("plugin.toml".to_owned(), package.manifest_toml().to_vec()),
        ("plugin.sig".to_owned(), signatures.to_bytes()),
    ];
    entries.extend(package.files().map(|(path, content)| (path.to_owned(), content.to_vec())));
    entries
}

fn archive(input: &Input, good: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut tar = Vec::new();
    match &input.entries {
        None => good.iter().for_each(|(name, content)| block(&mut tar, name, content, b'0', None)),
        Some(entries) => entries.iter().for_each(|entry| write(&mut tar, entry, good)),
    }
    tar.extend([0; 1024]);
    tar.extend(&input.tail.0);
    let mut file = zstd::bulk::compress(&tar, 1).expect("memory compresses");
    file.extend(&input.tail.1);
    file
}

fn write(tar: &mut Vec<u8>, entry: &Entry, good: &[(String, Vec<u8>)]) {
    let pick = |n: &u8| &good[usize::from(*n) % good.len()];
    match entry {
        Entry::Good(n) => block(tar, &pick(n).0, &pick(n).1, b'0', None),
        Entry::Damaged(n, at, value) => {
            let (name, content) = pick(n);
            let mut content = content.clone();
            let length = content.len().max(1);
            if let Some(byte) = content.get_mut(usize::from(*at) % length) {
                *byte = *value;
            }
            block(tar, name, &content, b'0', None);
        }
        Entry::Odd { good, name, kind, size } => block(tar, &name.text(), &pick(good).1, *kind, *size),
        Entry::Block(bytes) => tar.extend(bytes),
    }
}

fn block(tar: &mut Vec<u8>, name: &str, content: &[u8], kind: u8, size: Option<u64>) {
    let mut header = Header::new_ustar();
    // Not `set_path`, which is too polite for the names we want.
    let field = &mut header.as_old_mut().name;
    let length = name.len().min(field.len());
    field[..length].copy_from_slice(&name.as_bytes()[..length]);
    header.set_size(size.unwrap_or(content.len() as u64));
    header.set_entry_type(EntryType::new(kind));
    header.set_cksum();
    tar.extend(header.as_bytes());
    tar.extend(content);
    tar.resize(tar.len().next_multiple_of(512), 0);
}
