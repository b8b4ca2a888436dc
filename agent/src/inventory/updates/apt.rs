//! Updates that apt would install, from the lists it fetched: read as a stream, nothing of them is kept but what fits an
//! installed package.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader},
    time::UNIX_EPOCH,
};

use super::{
    Manager, Update,
    pins::{Offer, Pins},
    release::{Release, releases},
};
use crate::inventory::{
    commands,
    packages::{self, Packages},
    source::{Root, read_line_bounded},
    version::compare,
};

/// Where apt keeps its lists.
pub const LISTS: &str = "var/lib/apt/lists";
/// A field's line is cut here.
const MAX_LINE: usize = 4096;
/// What an installed version counts when no archive has it.
const INSTALLED: i32 = 100;
/// From here on a version is taken even when it is older.
const DOWNGRADE: i32 = 1000;

/// An installed package and the best that the lists offer for it.
#[derive(Debug)]
struct Wanted {
    name: String,
    arch: String,
    installed: String,
    held: bool,
    source: String,
    priority: i32,
    security: bool,
    best: Option<Best>,
}

#[derive(Debug)]
struct Best {
    priority: i32,
    version: String,
    release: usize,
    bytes: Option<u64>,
    phased: Option<u8>,
}

/// The fields of one entry of a list that are used.
#[derive(Default)]
struct Entry {
    name: String,
    arch: String,
    version: String,
    bytes: Option<u64>,
    phased: Option<u8>,
}

/// What apt would upgrade; `None` where there is no apt.
pub fn collect(root: &Root, installed: &Packages) -> Option<(Manager, Vec<Update>)> {
    if !root.path("etc/apt").exists() {
        return None;
    }
    let releases = releases(root);
    let pins = Pins::read(root);
    let mut wanted = Candidates::of(installed);
    let mut read = 0_usize;
    for file in root.names(LISTS) {
        let plain = file
            .strip_suffix(".lz4")
            .or_else(|| file.strip_suffix(".gz"))
            .or_else(|| file.strip_suffix(".xz"));
        if !plain.or_else(|| file.strip_suffix(".zst")).unwrap_or(&file).ends_with("_Packages") {
            continue;
        }
        let Some(release) = Release::of_list(&releases, &file) else { continue };
        if let Some(mut list) = open(root, &file) {
            read += usize::from(wanted.read(&mut list, &releases, release, &pins).is_ok());
        }
    }
    let error = (read == 0).then(|| "there are no lists; run `apt-get update`".to_owned());
    Some((Manager { name: "dpkg".into(), lists_at: lists_at(root), error }, wanted.updates(&releases)))
}

/// A list, unpacked by apt's own helper where it is compressed.
fn open(root: &Root, file: &str) -> Option<Box<dyn BufRead>> {
    let path = root.path(&format!("{LISTS}/{file}"));
    if file.ends_with("_Packages") {
        return Some(Box::new(BufReader::with_capacity(64 << 10, std::fs::File::open(path).ok()?)));
    }
    if !root.is_machine() {
        return None;
    }
    let stdout = commands::stream("/usr/lib/apt/apt-helper", &["cat-file", path.to_str()?])?;
    Some(Box::new(BufReader::with_capacity(64 << 10, stdout)))
}

/// When lists were fetched last: apt touches its folder for unfinished ones each time.
fn lists_at(root: &Root) -> Option<i64> {
    let places = ["var/lib/apt/periodic/update-success-stamp", "var/lib/apt/lists/partial", LISTS];
    let touched = places.iter().filter_map(|path| std::fs::metadata(root.path(path)).ok()?.modified().ok());
    let seconds = touched.filter_map(|at| i64::try_from(at.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok());
    seconds.max()
}

/// Installed packages by name; of one name there may be several architectures.
struct Candidates {
    by_name: HashMap<String, Vec<Wanted>>,
    native: String,
}

impl Candidates {
    fn of(installed: &Packages) -> Self {
        let dpkg = || installed.packages.iter().filter(|package| package.manager == "dpkg");
        let native = dpkg().find(|p| p.name == "dpkg").map(|p| p.arch.clone()).unwrap_or_default();
        let mut by_name: HashMap<String, Vec<Wanted>> = HashMap::new();
        for package in dpkg() {
            by_name.entry(package.name.clone()).or_default().push(Wanted {
                name: package.name.clone(),
                arch: package.arch.clone(),
                installed: package.version.clone(),
                held: package.held,
                source: package.source.clone().unwrap_or_else(|| package.name.clone()),
                priority: INSTALLED,
                security: false,
                best: None,
            });
        }
        Self { by_name, native }
    }

    fn read(
        &mut self,
        list: &mut dyn BufRead,
        releases: &[Release],
        release: usize,
        pins: &Pins,
    ) -> std::io::Result<()> {
        let mut list = list;
        let (mut line, mut entry) = (Vec::with_capacity(256), Entry::default());
        while read_line_bounded(&mut list, &mut line, MAX_LINE)? {
            if line.is_empty() {
                self.offer(std::mem::take(&mut entry), releases, release, pins);
            } else {
                entry.field(&line);
            }
        }
        self.offer(entry, releases, release, pins);
        Ok(())
    }

    fn offer(&mut self, entry: Entry, releases: &[Release], at: usize, pins: &Pins) {
        let Some(wanted) = self.by_name.get_mut(&entry.name) else { return };
        let native = self.native.as_str();
        // A package may go over from one architecture to none and back.
        let same =
            |a: &str, b: &str| if a == "all" { native } else { a } == if b == "all" { native } else { b };
        let Some(wanted) = wanted.iter_mut().find(|wanted| same(&wanted.arch, &entry.arch)) else { return };
        let offer = Offer {
            name: &entry.name,
            source: &wanted.source,
            version: &entry.version,
            release: &releases[at],
        };
        let priority = pins.priority(&offer);
        let order = compare(&entry.version, &wanted.installed);
        if order.is_eq() {
            wanted.priority = wanted.priority.max(priority);
            return;
        }
        if priority < 0 || order.is_lt() && priority < DOWNGRADE {
            return;
        }
        wanted.security |= order.is_gt() && releases[at].security;
        let better = wanted.best.as_ref().is_none_or(|best| {
            let order = priority.cmp(&best.priority).then_with(|| compare(&entry.version, &best.version));
            order.is_gt() || order.is_eq() && releases[at].security
        });
        if better {
            wanted.best = Some(Best {
                priority,
                version: entry.version,
                release: at,
                bytes: entry.bytes,
                phased: entry.phased,
            });
        }
    }

    fn updates(self, releases: &[Release]) -> Vec<Update> {
        let all = self.by_name.into_values().flatten();
        all.filter_map(|wanted| {
            let best = wanted.best?;
            let chosen = best.priority >= wanted.priority
                && compare(&best.version, &wanted.installed).is_gt()
                || best.priority >= DOWNGRADE && best.priority > wanted.priority;
            let release = &releases[best.release];
            chosen.then(|| Update {
                key: packages::key("dpkg", &wanted.name, &wanted.arch),
                manager: "dpkg".into(),
                installed: wanted.installed,
                version: best.version,
                security: wanted.security,
                origin: release.origin.clone(),
                archive: release.archive().to_owned(),
                download_bytes: best.bytes,
                held: wanted.held,
                phased_percent: best.phased.filter(|percent| *percent < 100),
                name: wanted.name,
                arch: wanted.arch,
            })
        })
        .collect()
    }
}

impl Entry {
    fn field(&mut self, line: &[u8]) {
        let Some(colon) = line.iter().position(|b| *b == b':') else { return };
        let text = || String::from_utf8_lossy(line[colon + 1..].trim_ascii()).into_owned();
        match &line[..colon] {
            b"Package" => self.name = text(),
            b"Version" => self.version = text(),
            b"Architecture" => self.arch = text(),
            b"Size" => self.bytes = text().parse().ok(),
            b"Phased-Update-Percentage" => self.phased = text().parse().ok(),
            _ => {}
        }
    }
}
