//! Package systems with a database of plain text or a socket: apk, pacman, snap, flatpak.

use std::io::{self, BufReader};

use serde::Deserialize;

use super::{MAX_PACKAGES, Package, key, title};
use crate::inventory::{
    source::{Root, read_line_bounded},
    unix_http,
};

const MAX_LINE: usize = 4096;

/// Alpine's packages, where there is such a database.
pub fn apk(root: &Root) -> Option<io::Result<Vec<Package>>> {
    let places = ["lib/apk/db/installed", "usr/lib/apk/db/installed"];
    let file = places.iter().find_map(|path| std::fs::File::open(root.path(path)).ok())?;
    Some(parse_apk(BufReader::with_capacity(16 << 10, file)))
}

/// Parse apk's `installed`: lines of a letter and a value, entries between empty lines.
pub fn parse_apk(mut reader: impl io::BufRead) -> io::Result<Vec<Package>> {
    let (mut packages, mut line, mut package) = (Vec::new(), Vec::new(), Package::default());
    loop {
        let more = read_line_bounded(&mut reader, &mut line, MAX_LINE)?;
        if !more || line.is_empty() {
            let done = std::mem::take(&mut package);
            if !done.name.is_empty() && packages.len() < MAX_PACKAGES {
                packages.push(done.completed("apk"));
            }
            if !more {
                return Ok(packages);
            }
            continue;
        }
        let text = String::from_utf8_lossy(&line);
        let Some((letter, value)) = text.split_once(':') else { continue };
        match letter {
            "P" => package.name = value.to_owned(),
            "V" => package.version = value.to_owned(),
            "A" => package.arch = value.to_owned(),
            "T" => package.title = title(value),
            "o" => package.source = Some(value.to_owned()),
            "I" => package.installed_kib = value.parse::<u64>().ok().map(|bytes| bytes.div_ceil(1024)),
            _ => {}
        }
    }
}

/// Arch's packages: a folder each, with a file of named blocks.
pub fn pacman(root: &Root) -> Option<io::Result<Vec<Package>>> {
    let folder = "var/lib/pacman/local";
    if !root.path(folder).is_dir() {
        return None;
    }
    let files = root.names(folder).into_iter().take(MAX_PACKAGES);
    let read = |name: String| parse_pacman(&root.text(&format!("{folder}/{name}/desc")).ok()?);
    Some(Ok(files.filter_map(read).collect()))
}

/// Parse pacman's `desc`: `%NAME%`, then lines of values, then an empty line.
pub fn parse_pacman(text: &str) -> Option<Package> {
    let mut package = Package::default();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(field) = line.strip_prefix('%').and_then(|rest| rest.strip_suffix('%')) else { continue };
        let value = lines.next().unwrap_or_default().trim();
        match field {
            "NAME" => package.name = value.to_owned(),
            "VERSION" => package.version = value.to_owned(),
            "ARCH" => package.arch = value.to_owned(),
            "DESC" => package.title = title(value),
            "BASE" => package.source = Some(value.to_owned()),
            "SIZE" => package.installed_kib = value.parse::<u64>().ok().map(|bytes| bytes.div_ceil(1024)),
            _ => {}
        }
    }
    (!package.name.is_empty() && !package.version.is_empty()).then(|| package.completed("pacman"))
}

impl Package {
    /// With what follows from its other fields.
    pub fn completed(mut self, manager: &str) -> Self {
        self.key = key(manager, &self.name, &self.arch);
        self.manager = manager.into();
        self.source = self.source.filter(|source| *source != self.name && !source.is_empty());
        self
    }
}

#[derive(Deserialize)]
struct Snaps {
    result: Vec<Snap>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Snap {
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    installed_size: Option<u64>,
    #[serde(default)]
    status: String,
}

/// Snaps, as snapd's socket lists them.
pub fn snap(root: &Root) -> Option<io::Result<Vec<Package>>> {
    let socket = root.path("run/snapd.socket");
    // The socket alone would start snapd: without a snap there is nothing to ask.
    if !socket.exists() || root.names("snap").iter().all(|name| name == "bin" || name == "README") {
        return None;
    }
    Some(unix_http::get(&socket, "/v2/snaps").and_then(|body| {
        parse_snaps(&body)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "snapd's list is not understood"))
    }))
}

/// Parse snapd's answer to `/v2/snaps`.
pub fn parse_snaps(json: &[u8]) -> Option<Vec<Package>> {
    let snaps: Snaps = serde_json::from_slice(json).ok()?;
    let package = |snap: Snap| {
        Package {
            title: title(&snap.summary),
            installed_kib: snap.installed_size.map(|bytes| bytes.div_ceil(1024)),
            state: (snap.status != "active").then_some(snap.status),
            name: snap.name,
            version: snap.version,
            ..Package::default()
        }
        .completed("snap")
    };
    Some(snaps.result.into_iter().map(package).collect())
}

/// Flatpaks of the whole machine, as its command lists them.
pub fn flatpak(root: &Root) -> Option<io::Result<Vec<Package>>> {
    if !root.path("var/lib/flatpak/app").is_dir() {
        return None;
    }
    let columns = "--columns=application,version,arch,branch,name,size";
    let text = root.run("flatpak", &["list", "--system", columns])?;
    Some(Ok(parse_flatpaks(&text)))
}

/// Parse `flatpak list --columns=application,version,arch,branch,name,size`: between tabs.
pub fn parse_flatpaks(text: &str) -> Vec<Package> {
    text.lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
            let [application, version, arch, branch, name, size] = cells[..] else { return None };
            if application.is_empty() || application == "Application ID" {
                return None;
            }
            let package = Package {
                name: application.into(),
                // Runtimes have no version but their branch.
                version: if version.is_empty() { branch.into() } else { version.into() },
                arch: arch.into(),
                title: title(name),
                installed_kib: flatpak_kib(size),
                ..Package::default()
            };
            Some(package.completed("flatpak"))
        })
        .collect()
}

/// `1.2 GB`, with a blank that does not break.
fn flatpak_kib(text: &str) -> Option<u64> {
    let mut words = text.split(|c: char| c.is_whitespace() || c == '\u{a0}').filter(|word| !word.is_empty());
    let number: f64 = words.next()?.parse().ok()?;
    let factor = match words.next()? {
        "bytes" => 1.0,
        "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        _ => return None,
    };
    Some((number * factor / 1024.0).ceil() as u64)
}
