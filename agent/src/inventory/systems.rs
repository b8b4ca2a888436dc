//! Sections of systems without /proc: asked of their own commands. Everything here is compiled and tested everywhere, on
//! recorded answers; only which of it runs depends on the system.

pub mod freebsd;
pub mod macos;
pub mod netbsd;
pub mod openbsd;
pub mod unix;
pub mod windows;

use super::source::Root;

/// What kind of system a tree is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// Linux, and what reads like it.
    Linux,
    /// macOS.
    MacOs,
    /// FreeBSD.
    FreeBsd,
    /// OpenBSD.
    OpenBsd,
    /// NetBSD.
    NetBsd,
    /// Windows.
    Windows,
}

impl System {
    /// The one this program was built for.
    pub fn here() -> Self {
        match std::env::consts::OS {
            "macos" => Self::MacOs,
            "freebsd" => Self::FreeBsd,
            "openbsd" => Self::OpenBsd,
            "netbsd" => Self::NetBsd,
            "windows" => Self::Windows,
            _ => Self::Linux,
        }
    }

    /// As the section `os` names it.
    pub fn family(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::MacOs => "macos",
            Self::FreeBsd => "freebsd",
            Self::OpenBsd => "openbsd",
            Self::NetBsd => "netbsd",
            Self::Windows => "windows",
        }
    }
}

/// A section's body; `None` where the collectors for Linux read this system too.
pub fn body(root: &Root, name: &str) -> Option<Vec<u8>> {
    let collect = match root.system() {
        System::Linux => return None,
        System::MacOs => macos::body,
        System::FreeBsd => freebsd::body,
        System::OpenBsd => openbsd::body,
        System::NetBsd => netbsd::body,
        System::Windows => windows::body,
    };
    let unix = root.system() != System::Windows;
    // Files that every Unix has; macOS keeps people elsewhere.
    if unix && (name == "certificates" || name == "users" && root.system() != System::MacOs) {
        return None;
    }
    Some(collect(root, name).unwrap_or_else(|| super::missing("not supported on this system yet")))
}

/// A section's bytes; `None` when there is nothing to tell.
fn bytes<T: serde::Serialize>(section: Option<T>) -> Option<Vec<u8>> {
    section.and_then(|section| serde_json::to_vec(&section).ok())
}
