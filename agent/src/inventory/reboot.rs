//! Whether the machine should be restarted and why, and which services still run replaced code.

use std::{collections::BTreeMap, io::BufReader};

use serde::{Deserialize, Serialize};

use super::{
    CollectError, is_default,
    processes::{self, Owner},
    source::{Root, read_line_bounded},
    version,
};

/// What a restart would mend.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reboot {
    /// The machine should be restarted.
    pub required: bool,
    /// Why.
    #[serde(skip_serializing_if = "is_default")]
    pub causes: Vec<Cause>,
    /// Release of the kernel that runs.
    #[serde(skip_serializing_if = "is_default")]
    pub running_kernel: String,
    /// Newest kernel installed; absent where there is no telling.
    #[serde(skip_serializing_if = "is_default")]
    pub newest_kernel: Option<String>,
    /// Services that need a restart: files they run from were replaced or removed.
    #[serde(skip_serializing_if = "is_default")]
    pub services: Vec<Stale>,
}

/// A reason to restart the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Cause {
    /// `kind:name`, e.g. `package:linux-image-amd64`.
    pub key: String,
    /// `flag` (the package system asks), `package` (a package asks), `kernel` (a newer one is installed), `init` (process 1
    /// runs replaced code), `update` (an installed update waits for it).
    pub kind: String,
    /// In words.
    pub detail: String,
}

/// A service running replaced code.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Stale {
    /// The service's unit, or the program's name where it belongs to none.
    pub name: String,
    /// Some of the replaced files.
    pub files: Vec<String>,
    /// Stops with the session or the machine only: not a service.
    #[serde(skip_serializing_if = "is_default")]
    pub session: bool,
}

/// Files told of one service.
const MOST_FILES: usize = 5;
/// Services told.
const MOST_SERVICES: usize = 256;
/// Lines of one process's `maps` that are looked at.
const MOST_LINES: usize = 65_536;

pub(super) fn collect(root: &Root) -> Result<Reboot, CollectError> {
    let running_kernel = root.line("proc/sys/kernel/osrelease").unwrap_or_default();
    let newest_kernel = newest_kernel(root, &running_kernel);
    let mut causes = asked(root);
    if let Some(newest) = newest_kernel.as_ref().filter(|newest| **newest != running_kernel) {
        causes.push(Cause::new("kernel", newest, format!("{newest} is installed, {running_kernel} runs")));
    }
    let services = stale(root, &mut causes);
    causes.sort();
    causes.dedup_by(|later, first| later.key == first.key);
    Ok(Reboot { required: !causes.is_empty(), causes, running_kernel, newest_kernel, services })
}

impl Cause {
    /// With its key.
    pub fn new(kind: &str, name: &str, detail: String) -> Self {
        Self { key: format!("{kind}:{name}"), kind: kind.into(), detail }
    }
}

/// What the package system asks for with its flag files.
fn asked(root: &Root) -> Vec<Cause> {
    let mut causes = Vec::new();
    for package in root.text("run/reboot-required.pkgs").unwrap_or_default().lines().map(str::trim) {
        if !package.is_empty() {
            causes.push(Cause::new("package", package, format!("{package} was installed or upgraded")));
        }
    }
    let flagged =
        ["run/reboot-required", "var/run/reboot-required"].iter().any(|path| root.path(path).exists());
    if flagged && causes.is_empty() {
        causes.push(Cause::new("flag", "reboot-required", "the package system asks for it".into()));
    }
    causes
}

/// The newest kernel of the running one's flavour that could be started; `None` when the running one is not installed
/// here, as in a container.
fn newest_kernel(root: &Root, running: &str) -> Option<String> {
    let startable = |name: &str| {
        root.path(&format!("boot/vmlinuz-{name}")).exists()
            || ["vmlinuz", "pkgbase"]
                .iter()
                .any(|file| root.path(&format!("lib/modules/{name}/{file}")).exists())
    };
    let installed: Vec<String> =
        root.names("lib/modules").into_iter().filter(|name| *name == running || startable(name)).collect();
    newest_of(&installed, running)
}

/// The newest of the kernels that are of the running one's flavour (`amd64`, `cloud-amd64`, `aws`).
pub fn newest_of(installed: &[String], running: &str) -> Option<String> {
    installed.iter().find(|name| *name == running)?;
    installed
        .iter()
        .filter(|name| flavour(name) == flavour(running))
        .max_by(|a, b| version::compare(a, b))
        .cloned()
}

fn flavour(release: &str) -> Vec<&str> {
    release.split('-').skip(1).filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic())).collect()
}

/// Services whose processes run from files that are no longer there. Process 1 asks for a restart of the machine.
fn stale(root: &Root, causes: &mut Vec<Cause>) -> Vec<Stale> {
    let mut found: BTreeMap<String, Stale> = BTreeMap::new();
    for id in processes::ids(root) {
        let files = replaced_files(root, id);
        if files.is_empty() {
            continue;
        }
        let (name, session) = match processes::owner(root, id) {
            Owner::Unit(unit) => (unit, false),
            Owner::Session => (processes::name(root, id), true),
            Owner::Unknown => (processes::name(root, id), false),
        };
        if id == 1 {
            causes.push(Cause::new("init", &name, format!("process 1 runs {}", files[0])));
        } else if !name.is_empty() && (found.contains_key(&name) || found.len() < MOST_SERVICES) {
            let stale = found.entry(name.clone()).or_insert(Stale { name, files: Vec::new(), session });
            stale.files.extend(files);
            stale.files.sort();
            stale.files.dedup();
            stale.files.truncate(MOST_FILES);
        }
    }
    found.into_values().collect()
}

fn replaced_files(root: &Root, id: u32) -> Vec<String> {
    let Ok(file) = std::fs::File::open(root.path(&format!("proc/{id}/maps"))) else { return Vec::new() };
    let mut reader = BufReader::with_capacity(16 << 10, file);
    let (mut line, mut files) = (Vec::new(), Vec::new());
    for _ in 0..MOST_LINES {
        if !matches!(read_line_bounded(&mut reader, &mut line, 4096), Ok(true)) {
            break;
        }
        if let Some(file) = replaced_file(&line)
            && !files.contains(&file)
        {
            files.push(file);
        }
    }
    files
}

/// The file behind a line of `/proc/<id>/maps`, when it is code of the system that was removed or replaced.
pub fn replaced_file(line: &[u8]) -> Option<String> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix(" (deleted)")?;
    let mut words = line.split_ascii_whitespace();
    let executable = words.nth(1)?.as_bytes().get(2) == Some(&b'x');
    let path = &line[line.find('/')?..];
    let system = ["/usr/", "/lib", "/bin/", "/sbin/", "/opt/"].iter().any(|start| path.starts_with(start));
    (executable && system).then(|| path.to_owned())
}
