//! The administrator's preferences, as `apt_preferences(5)` describes them. Patterns that are regular expressions are left out.

use super::release::Release;
use crate::{inventory::source::Root, policy::glob};

/// All preferences, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pins {
    pins: Vec<Pin>,
    default_release: Option<String>,
}

/// One preference.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pin {
    packages: Vec<String>,
    which: Which,
    priority: i32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Which {
    Version(String),
    Origin(String),
    Release(Vec<(char, String)>),
}

/// A version that an archive offers.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    /// Package.
    pub name: &'a str,
    /// Its source package.
    pub source: &'a str,
    /// Version.
    pub version: &'a str,
    /// Archive.
    pub release: &'a Release,
}

impl Pins {
    /// Of this machine.
    pub fn read(root: &Root) -> Self {
        let mut pins = Self::default();
        // apt reads the folder first; names with other ends are left out by it too.
        let good = |name: &String| !name.contains('.') || name.ends_with(".pref");
        let own = root.names("etc/apt/preferences.d").into_iter().filter(good);
        let files = own.map(|name| format!("etc/apt/preferences.d/{name}"));
        for file in files.chain(["etc/apt/preferences".to_owned()]) {
            pins.parse(&root.text(&file).unwrap_or_default());
        }
        let own =
            root.names("etc/apt/apt.conf.d").into_iter().map(|name| format!("etc/apt/apt.conf.d/{name}"));
        for file in own.chain(["etc/apt/apt.conf".to_owned()]) {
            let found = default_release(&root.text(&file).unwrap_or_default());
            pins.default_release = found.or(pins.default_release);
        }
        pins
    }

    /// Add the preferences of one file.
    pub fn parse(&mut self, text: &str) {
        let text = text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
        for stanza in text.split("\n\n") {
            let field = |name: &str| {
                let line = stanza.lines().find_map(|line| {
                    let (key, value) = line.split_once(':')?;
                    key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
                });
                line.map(str::to_owned)
            };
            let (Some(packages), Some(which), Some(priority)) =
                (field("Package"), field("Pin"), field("Pin-Priority"))
            else {
                continue;
            };
            let (Some(which), Ok(priority)) = (Which::parse(&which), priority.parse()) else { continue };
            let packages =
                packages.split([' ', ',']).filter(|word| !word.is_empty()).map(str::to_owned).collect();
            self.pins.push(Pin { packages, which, priority });
        }
    }

    /// What an offer counts: by the first preference for its name, else the first for all names, else by its archive.
    pub fn priority(&self, offer: &Offer<'_>) -> i32 {
        let named = self.pins.iter().find(|pin| pin.names(offer) && pin.which.fits(offer));
        let general = || self.pins.iter().find(|pin| pin.is_general() && pin.which.fits(offer));
        if let Some(pin) = named.or_else(general) {
            return pin.priority;
        }
        let wanted = self.default_release.as_deref().is_some_and(|name| {
            [&offer.release.suite, &offer.release.codename].into_iter().any(|own| own == name)
        });
        if wanted { 990 } else { offer.release.priority() }
    }
}

/// `APT::Default-Release "stable";`
fn default_release(text: &str) -> Option<String> {
    let line = text.lines().find_map(|line| line.trim().strip_prefix("APT::Default-Release"))?;
    line.split('"').nth(1).map(str::to_owned)
}

impl Pin {
    fn is_general(&self) -> bool {
        self.packages.iter().any(|pattern| pattern == "*")
    }

    fn names(&self, offer: &Offer<'_>) -> bool {
        self.packages.iter().filter(|pattern| *pattern != "*").any(|pattern| {
            match pattern.strip_prefix("src:") {
                Some(pattern) => glob::matches(pattern, offer.source),
                None => glob::matches(pattern.split(':').next().unwrap_or(pattern), offer.name),
            }
        })
    }
}

impl Which {
    fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(char::is_whitespace)?;
        let rest = rest.trim();
        Some(match kind {
            "version" => Self::Version(rest.to_owned()),
            "origin" => Self::Origin(rest.trim_matches('"').to_owned()),
            "release" => Self::Release(
                rest.split(',')
                    .map(|part| match part.trim().split_once('=') {
                        Some((key, value)) => (key.chars().next().unwrap_or(' '), value.to_owned()),
                        // A bare word is an archive or a version.
                        None => ('a', part.trim().to_owned()),
                    })
                    .collect(),
            ),
            _ => return None,
        })
    }

    fn fits(&self, offer: &Offer<'_>) -> bool {
        match self {
            Self::Version(pattern) => glob::matches(pattern, offer.version),
            Self::Origin(host) => glob::matches(host, offer.release.host()),
            Self::Release(parts) => parts.iter().all(|(key, pattern)| {
                let release = offer.release;
                match key {
                    'a' => {
                        glob::matches(pattern, &release.suite) || glob::matches(pattern, &release.codename)
                    }
                    'n' => glob::matches(pattern, &release.codename),
                    'o' => glob::matches(pattern, &release.origin),
                    'l' => glob::matches(pattern, &release.label),
                    'v' => glob::matches(pattern, &release.version),
                    // Components and architectures: nothing here tells them apart.
                    _ => true,
                }
            }),
        }
    }
}
