//! Air-gap bundles: a repository with some of its targets and an organisation's licences, in one file (tar, uncompressed:
//! packages are compressed already, and any part is read in place). The client reads one as it reads a portal.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tar::{Archive, Builder, EntryType, Header};

use crate::{DistributionError, Fetched, Limits, Location, Transport, TransportError, transport::part};

const ABOUT: &str = "bundle.json";
const LICENSES: &str = "licenses.jws";
const METADATA: &str = "metadata/";
const TARGETS: &str = "targets/";
/// Most files in one bundle.
const MAX_FILES: usize = 8192;
/// Longest file of licences, in bytes.
const MAX_LICENSES: u64 = 1 << 20;

/// What a bundle says of itself. Nothing signs this: it is for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Format, 1.
    pub format: u32,
    /// The organisation that it was made for.
    pub organisation: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl About {
    /// The format that is written.
    pub const FORMAT: u32 = 1;

    /// For this organisation.
    pub fn new(organisation: impl Into<String>, created_at: DateTime<Utc>) -> Self {
        Self { format: Self::FORMAT, organisation: organisation.into(), created_at }
    }
}

/// A bundle being written.
pub struct Writer<W: Write>(Builder<W>);

/// Begin a bundle.
///
/// # Errors
/// When it cannot be written.
pub fn write<W: Write>(out: W, about: &About, licenses: &[String]) -> io::Result<Writer<W>> {
    let mut writer = Writer(Builder::new(out));
    writer.add(ABOUT, &serde_json::to_vec(about)?)?;
    writer.add(LICENSES, licenses.join("\n").as_bytes())?;
    Ok(writer)
}

impl<W: Write> Writer<W> {
    /// Add a file of metadata by the name that a portal serves it under.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn metadata(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.add(&format!("{METADATA}{name}"), bytes)
    }

    /// Add a target by its SHA-256 (hexadecimal) and length. Each digest is added once.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn target(&mut self, sha256: &str, length: u64, bytes: impl Read) -> io::Result<()> {
        self.0.append_data(&mut header(length), format!("{TARGETS}{sha256}"), bytes.take(length))
    }

    /// End the bundle.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> io::Result<W> {
        self.0.into_inner()
    }

    fn add(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.0.append_data(&mut header(bytes.len() as u64), name, bytes)
    }
}

fn header(length: u64) -> Header {
    let mut header = Header::new_ustar();
    header.set_size(length);
    header.set_mode(0o644);
    header
}

/// A bundle that was opened. It serves the client as any transport does; nothing of it is believed yet.
#[derive(Debug)]
pub struct Bundle {
    path: PathBuf,
    about: About,
    licenses: Vec<String>,
    /// Where each file lies, and how long it is.
    index: HashMap<String, (u64, u64)>,
}

/// Open a bundle. Only names that a bundle has and sizes within limits are taken; nothing is unpacked.
///
/// # Errors
/// [`DistributionError::BadBundle`].
pub async fn open(path: impl Into<PathBuf>, limits: &Limits) -> Result<Bundle, DistributionError> {
    let (path, limits) = (path.into(), limits.clone());
    let bad = |why: String| DistributionError::BadBundle(why);
    let work = tokio::task::spawn_blocking(move || read(&path, &limits));
    work.await.map_err(|e| bad(e.to_string()))?.map_err(|e| bad(e.to_string()))
}

fn read(path: &Path, limits: &Limits) -> io::Result<Bundle> {
    let mut file = File::open(path)?;
    let end = file.metadata()?.len();
    let mut index = HashMap::new();
    let mut archive = Archive::new(&file);
    for entry in archive.entries_with_seek()?.raw(true) {
        let entry = entry?;
        let name = entry.path_bytes();
        let name = std::str::from_utf8(&name).map_err(|_| wrong("a name is no text"))?.to_owned();
        let (at, length) = (entry.raw_file_position(), entry.header().entry_size()?);
        if entry.header().entry_type() != EntryType::Regular {
            return Err(wrong(format!("`{name}` is no plain file")));
        }
        let limit =
            limit_of(&name, limits).ok_or_else(|| wrong(format!("`{name}` is not part of a bundle")))?;
        if length > limit || at.checked_add(length).is_none_or(|last| last > end) {
            return Err(wrong(format!("`{name}` is too long")));
        }
        if index.len() >= MAX_FILES {
            return Err(wrong(format!("it has more than {MAX_FILES} files")));
        }
        if index.insert(name.clone(), (at, length)).is_some() {
            return Err(wrong(format!("`{name}` is in it twice")));
        }
    }
    let about = small(&mut file, &index, ABOUT)?;
    let about: About = serde_json::from_slice(&about)?;
    if about.format != About::FORMAT {
        return Err(wrong(format!("its format is {}, this version reads {}", about.format, About::FORMAT)));
    }
    let licenses = String::from_utf8(small(&mut file, &index, LICENSES)?).map_err(io::Error::other)?;
    let licenses = licenses.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    Ok(Bundle { path: path.to_owned(), about, licenses, index })
}

fn wrong(why: impl Into<String>) -> io::Error {
    io::Error::other(why.into())
}

/// How long a file of this name may be; none for a name that no bundle has.
fn limit_of(name: &str, limits: &Limits) -> Option<u64> {
    if let Some(file) = name.strip_prefix(METADATA) {
        let plain = file.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        return (plain && !file.starts_with('.')).then_some(limits.targets);
    }
    if let Some(sum) = name.strip_prefix(TARGETS) {
        return is_sum(sum).then_some(limits.save);
    }
    match name {
        ABOUT => Some(16 << 10),
        LICENSES => Some(MAX_LICENSES),
        _ => None,
    }
}

fn is_sum(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b"0123456789abcdef".contains(&b))
}

/// A file whose limit is small.
fn small(file: &mut File, index: &HashMap<String, (u64, u64)>, name: &str) -> io::Result<Vec<u8>> {
    let (at, length) = *index.get(name).ok_or_else(|| wrong(format!("`{name}` is missing")))?;
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl Bundle {
    /// What it says of itself.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// Licence tokens in it; none of them was verified.
    pub fn licenses(&self) -> &[String] {
        &self.licenses
    }

    /// Whether it holds the bytes of a target, by its SHA-256.
    pub fn holds(&self, sha256: &str) -> bool {
        self.index.contains_key(&format!("{TARGETS}{sha256}"))
    }
}

impl Transport for Bundle {
    fn fetch<'a>(
        &'a self,
        location: Location<'a>,
        from: u64,
    ) -> BoxFuture<'a, Result<Fetched, TransportError>> {
        let name = match location {
            Location::Metadata(name) => format!("{METADATA}{name}"),
            Location::Target(name) => {
                let file = name.rsplit('/').next().unwrap_or(name);
                format!("{TARGETS}{}", file.split('.').next().unwrap_or(file))
            }
        };
        Box::pin(async move {
            let (at, length) = *self.index.get(&name).ok_or(TransportError::NotFound)?;
            let from = from.min(length);
            let file = tokio::fs::File::open(&self.path).await?;
            let part = part(file, at + from, at + length).await?;
            Ok(Fetched { from, ..part })
        })
    }
}
