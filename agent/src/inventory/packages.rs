//! Installed software, read from dpkg's database as a stream: only one entry is in memory beside the result.

pub mod others;
pub mod rpm;

use std::io::{self, BufRead};

use serde::{Deserialize, Serialize};

use super::{
    CollectError,
    source::{Root, read_line_bounded},
};

/// Where dpkg keeps its database.
pub const DPKG_STATUS: &str = "var/lib/dpkg/status";
/// A field's line is cut here; the fields used are far shorter.
const MAX_LINE: usize = 8 << 10;
/// A description is cut to so many characters.
const MAX_TITLE: usize = 60;
/// More packages than any system has; what is beyond is left out and said so.
const MAX_PACKAGES: usize = 200_000;

/// Installed packages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Packages {
    /// Which databases were read, e.g. `dpkg`.
    pub sources: Vec<String>,
    /// Packages by name, then architecture.
    pub packages: Vec<Package>,
    /// The list was cut.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

/// One installed package.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Package {
    /// `manager:name:arch`, once in the list.
    pub key: String,
    /// Name.
    pub name: String,
    /// Architecture, `all` or `noarch` for none; empty where the package system has none.
    pub arch: String,
    /// Version in the package system's own form.
    pub version: String,
    /// Which package system: `dpkg`, `rpm`, `apk`, `pacman`, `snap`, `flatpak`, `pkg`, `pkg_add`, `pkgin`, `brew`, `winget`, ...
    pub manager: String,
    /// What it is, in a few words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Source package when it is named otherwise; advisories go by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Source version when it is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_version: Option<String>,
    /// Size on disk in KiB, as the packager declared it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub installed_kib: Option<u64>,
    /// Kept at its version by the administrator.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
    /// State when it is not `installed`, e.g. `half-configured`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

/// The fields of one entry that are used.
#[derive(Default)]
struct Stanza {
    name: String,
    arch: String,
    version: String,
    source: String,
    status: String,
    title: Option<String>,
    installed_kib: Option<u64>,
}

/// Parse dpkg's `status` file. Entries without name, version or an installed state are left out.
pub fn parse_dpkg_status(mut reader: impl BufRead) -> io::Result<Packages> {
    let mut found = Packages { sources: vec!["dpkg".into()], ..Packages::default() };
    let mut line = Vec::with_capacity(256);
    let mut stanza = Stanza::default();
    while read_line_bounded(&mut reader, &mut line, MAX_LINE)? {
        if line.is_empty() {
            found.add(std::mem::take(&mut stanza));
        } else {
            stanza.field(&line);
        }
    }
    found.add(stanza);
    found.packages.sort();
    found.packages.shrink_to_fit();
    Ok(found)
}

impl Stanza {
    fn field(&mut self, line: &[u8]) {
        // A continuation of the field before; none of the fields used has any.
        if line.first().is_some_and(u8::is_ascii_whitespace) {
            return;
        }
        let Some(colon) = line.iter().position(|b| *b == b':') else { return };
        let value = || String::from_utf8_lossy(line[colon + 1..].trim_ascii()).into_owned();
        match &line[..colon] {
            b"Package" => self.name = value(),
            b"Status" => self.status = value(),
            b"Version" => self.version = value(),
            b"Architecture" => self.arch = value(),
            b"Source" => self.source = value(),
            b"Description" => self.title = title(&value()),
            b"Installed-Size" => self.installed_kib = value().parse().ok(),
            _ => {}
        }
    }
}

impl Packages {
    /// All lists in one, in order of the keys. Of a package that is installed in several versions, such as kernels under
    /// rpm, all but the first have the version in their key.
    pub fn of(found: Vec<(&str, Vec<Package>)>) -> Self {
        let (sources, lists): (Vec<&str>, Vec<Vec<Package>>) = found.into_iter().unzip();
        let mut packages: Vec<Package> = lists.into_iter().flatten().collect();
        packages
            .sort_by(|a, b| a.key.cmp(&b.key).then_with(|| super::version::compare(&a.version, &b.version)));
        packages.dedup_by(|later, first| later.key == first.key && later.version == first.version);
        for at in 1..packages.len() {
            if (packages[at].manager == packages[at - 1].manager)
                && (packages[at].name == packages[at - 1].name)
                && packages[at].arch == packages[at - 1].arch
            {
                packages[at].key = format!("{}:{}", packages[at].key, packages[at].version);
            }
        }
        let truncated = packages.len() > MAX_PACKAGES;
        packages.truncate(MAX_PACKAGES);
        packages.sort();
        Self { sources: sources.into_iter().map(str::to_owned).collect(), packages, truncated }
    }

    fn add(&mut self, stanza: Stanza) {
        let mut words = stanza.status.split_ascii_whitespace();
        let (want, state) = (words.next().unwrap_or(""), words.nth(1).unwrap_or(""));
        if stanza.name.is_empty() || stanza.version.is_empty() {
            return;
        }
        if matches!(state, "" | "not-installed" | "config-files") {
            return;
        }
        if self.packages.len() >= MAX_PACKAGES {
            self.truncated = true;
            return;
        }
        let (source, source_version) = split_source(&stanza.source);
        self.packages.push(Package {
            source: source.filter(|source| *source != stanza.name),
            source_version: source_version.filter(|version| *version != stanza.version),
            key: key("dpkg", &stanza.name, &stanza.arch),
            title: stanza.title,
            name: stanza.name,
            arch: stanza.arch,
            version: stanza.version,
            manager: "dpkg".into(),
            installed_kib: stanza.installed_kib,
            held: want == "hold",
            state: (state != "installed").then(|| state.to_owned()),
        });
    }
}

/// What names an installed package in lists.
pub fn key(manager: &str, name: &str, arch: &str) -> String {
    format!("{manager}:{name}:{arch}")
}

/// A description cut to a few words; `None` when it says nothing.
pub fn title(text: &str) -> Option<String> {
    let line = text.trim().lines().next().unwrap_or("").trim();
    let cut: String = line.chars().take(MAX_TITLE).collect();
    (!cut.is_empty()).then(|| cut.trim_end().to_owned())
}

/// `Source: gcc-12 (12.2.0-14)` is a name and a version.
fn split_source(field: &str) -> (Option<String>, Option<String>) {
    let mut words = field.split_ascii_whitespace();
    let name = words.next().map(str::to_owned);
    let version = words.next().map(|word| word.trim_matches(['(', ')']).to_owned());
    (name, version)
}

fn dpkg(root: &Root) -> Option<io::Result<Vec<Package>>> {
    match std::fs::File::open(root.path(DPKG_STATUS)) {
        Ok(file) => {
            let found = parse_dpkg_status(io::BufReader::with_capacity(16 << 10, file));
            Some(found.map(|found| found.packages))
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => Some(Err(e)),
    }
}

pub(super) fn collect(root: &Root) -> Result<Packages, CollectError> {
    let databases = [
        ("dpkg", dpkg(root)),
        ("rpm", rpm::collect(root)),
        ("apk", others::apk(root)),
        ("pacman", others::pacman(root)),
        ("snap", others::snap(root)),
        ("flatpak", others::flatpak(root)),
    ];
    let mut found: Vec<(&str, Vec<Package>)> = Vec::new();
    let mut failed = None;
    for (name, database) in databases {
        match database {
            Some(Ok(packages)) => found.push((name, packages)),
            Some(Err(error)) => {
                tracing::warn!(%error, manager = name, "a package database cannot be read");
                failed = Some(error);
            }
            None => {}
        }
    }
    match (found.is_empty(), failed) {
        (true, Some(error)) => Err(CollectError::Read(error)),
        (true, None) => Err(CollectError::NotSupported),
        _ => Ok(Packages::of(found)),
    }
}
