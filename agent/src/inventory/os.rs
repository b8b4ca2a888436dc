//! The operating system: distribution, kernel, names, and the identities of machine and boot.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{CollectError, source::Root};

/// What the machine runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Os {
    /// `linux`, `windows`, `macos`, `freebsd`, ...
    pub family: String,
    /// Distribution, e.g. `debian`.
    pub id: String,
    /// Distributions it derives from, e.g. `debian` for Ubuntu.
    pub id_like: Vec<String>,
    /// Name for people, e.g. `Debian GNU/Linux 12 (bookworm)`.
    pub pretty_name: String,
    /// Version, e.g. `12`; empty on rolling distributions.
    pub version_id: String,
    /// Code name, e.g. `bookworm`.
    pub codename: String,
    /// Kernel release, e.g. `6.1.0-18-amd64`.
    pub kernel: String,
    /// Kernel build, as `uname -v` says.
    pub kernel_build: String,
    /// Machine architecture, e.g. `x86_64`.
    pub arch: String,
    /// Host name as the kernel has it.
    pub hostname: String,
    /// Changes with every boot.
    pub boot_id: String,
    /// SHA-256 (hex) over a label and the machine id; the id itself must not leave the machine.
    pub machine_id_hash: String,
    /// Time zone's name, where it is known.
    pub timezone: Option<String>,
    /// Whether a restart is asked for by the package system.
    pub reboot_required: bool,
    /// What the machine runs inside of: `kvm`, `vmware`, `microsoft`, `xen`, `docker`, `lxc`, `wsl`, ...; absent on bare metal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virtualization: Option<String>,
    /// What process 1 is: `systemd`, `openrc`, `sysvinit`, `runit`, `launchd`, `rc`, `windows`, or its own name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub init: String,
    /// When the machine was started, in Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booted_at: Option<i64>,
}

/// Parse `os-release(5)`: `KEY=value`, with shell quotes. Lines that are not are left out.
pub fn parse_os_release(text: &str) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with('#') {
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        if key.is_empty() || !key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            continue;
        }
        fields.insert(key.to_owned(), unquote(value));
    }
    fields
}

fn unquote(value: &str) -> String {
    let quote = match value.as_bytes().first() {
        Some(b'"') => '"',
        Some(b'\'') => return value.trim_matches('\'').to_owned(),
        _ => '\0',
    };
    let inner = if quote == '"' {
        let rest = &value[1..];
        rest.strip_suffix('"').unwrap_or(rest)
    } else {
        value
    };
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next()),
            c => out.push(c),
        }
    }
    out
}

/// The machine id as it may leave the machine: hashed with a label, as systemd asks applications to do.
pub fn hash_machine_id(id: &str) -> String {
    super::hex_digest(format!("sysmanage-agent machine id\0{}", id.trim()).as_bytes())
}

#[cfg(target_os = "linux")]
pub(super) fn collect(root: &Root) -> Result<Os, CollectError> {
    let release = ["etc/os-release", "usr/lib/os-release"]
        .iter()
        .find_map(|path| root.text(path).ok())
        .map(|text| parse_os_release(&text))
        .unwrap_or_default();
    let field = |name: &str| release.get(name).cloned().unwrap_or_default();
    let uname = rustix::system::uname();
    let text = |s: &std::ffi::CStr| s.to_string_lossy().into_owned();
    let machine_id = ["etc/machine-id", "var/lib/dbus/machine-id"].iter().find_map(|path| root.line(path));
    Ok(Os {
        family: "linux".into(),
        id: field("ID"),
        id_like: field("ID_LIKE").split_whitespace().map(str::to_owned).collect(),
        pretty_name: field("PRETTY_NAME"),
        version_id: field("VERSION_ID"),
        codename: field("VERSION_CODENAME"),
        kernel: text(uname.release()),
        kernel_build: text(uname.version()),
        arch: text(uname.machine()),
        hostname: text(uname.nodename()),
        boot_id: root.line("proc/sys/kernel/random/boot_id").unwrap_or_default(),
        machine_id_hash: machine_id.map(|id| hash_machine_id(&id)).unwrap_or_default(),
        timezone: timezone(root),
        reboot_required: ["run/reboot-required", "var/run/reboot-required"]
            .iter()
            .any(|path| root.path(path).exists()),
        virtualization: super::virtualization::detect(root),
        init: init(root),
        booted_at: booted_at(root),
    })
}

/// The moment of boot as the kernel has it. It moves by a second when the clock is set a little; such moves are not told.
#[cfg(target_os = "linux")]
fn booted_at(root: &Root) -> Option<i64> {
    static TOLD: std::sync::Mutex<Option<i64>> = std::sync::Mutex::new(None);
    let text = root.text("proc/stat").ok()?;
    let now: i64 = text.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    let mut told = TOLD.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let kept = told.filter(|told| told.abs_diff(now) < 60).unwrap_or(now);
    *told = Some(kept);
    Some(kept)
}

/// What process 1 is.
pub fn init(root: &Root) -> String {
    if root.path("run/systemd/system").exists() {
        return "systemd".into();
    }
    if root.path("run/openrc/softlevel").exists() {
        return "openrc".into();
    }
    match root.line("proc/1/comm").as_deref() {
        Some("init") => "sysvinit".into(),
        Some(name) => name.to_owned(),
        None => String::new(),
    }
}

#[cfg(target_os = "linux")]
fn timezone(root: &Root) -> Option<String> {
    if let Some(name) = root.line("etc/timezone") {
        return Some(name);
    }
    let target = std::fs::read_link(root.path("etc/localtime")).ok()?;
    let target = target.to_str()?;
    target.split_once("zoneinfo/").map(|(_, name)| name.to_owned())
}

#[cfg(not(target_os = "linux"))]
pub(super) fn collect(_root: &Root) -> Result<Os, CollectError> {
    Ok(Os { family: std::env::consts::OS.into(), arch: std::env::consts::ARCH.into(), ..Os::default() })
}
