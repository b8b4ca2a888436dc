//! What archives say of themselves in their `Release` files.

use super::apt::LISTS;
use crate::inventory::source::Root;

/// An archive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Release {
    /// What the names of its lists start with.
    pub base: String,
    /// Who made it, e.g. `Debian`.
    pub origin: String,
    /// Label, e.g. `Debian-Security`.
    pub label: String,
    /// Suite, e.g. `stable`.
    pub suite: String,
    /// Code name, e.g. `bookworm`.
    pub codename: String,
    /// Version, e.g. `12.11`.
    pub version: String,
    /// Nothing of it is installed unasked.
    pub not_automatic: bool,
    /// ... but what was installed from it is kept up to date.
    pub but_upgrades: bool,
    /// It carries security updates.
    pub security: bool,
}

/// Archives whose lists are here.
pub fn releases(root: &Root) -> Vec<Release> {
    root.names(LISTS)
        .into_iter()
        .filter_map(|name| {
            let base = name.strip_suffix("_InRelease").or_else(|| name.strip_suffix("_Release"))?;
            let text = root.text(&format!("{LISTS}/{name}")).ok()?;
            Some(Release { base: base.to_owned(), ..Release::parse(&text) })
        })
        .collect()
}

impl Release {
    /// Parse the head of a `Release` or `InRelease` file.
    pub fn parse(text: &str) -> Self {
        let mut release = Self::default();
        for line in text.lines() {
            let Some((key, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            match key {
                "Origin" => release.origin = value.into(),
                "Label" => release.label = value.into(),
                "Suite" => release.suite = value.into(),
                "Codename" => release.codename = value.into(),
                "Version" => release.version = value.into(),
                "NotAutomatic" => release.not_automatic = value == "yes",
                "ButAutomaticUpgrades" => release.but_upgrades = value == "yes",
                // From here on there are only sums.
                "MD5Sum" | "SHA1" | "SHA256" | "SHA512" => break,
                _ => {}
            }
        }
        let names = [&release.suite, &release.codename];
        release.security = release.label.contains("Security")
            || release.origin.starts_with("UbuntuESM")
            || names.iter().any(|name| name.ends_with("-security") || name.ends_with("/updates"));
        release
    }

    /// The archive a list belongs to: the longest start that fits.
    pub fn of_list(releases: &[Self], file: &str) -> Option<usize> {
        let fits =
            |release: &Self| file.strip_prefix(&release.base).is_some_and(|rest| rest.starts_with('_'));
        let fitting = releases.iter().enumerate().filter(|(_, release)| fits(release));
        fitting.max_by_key(|(_, release)| release.base.len()).map(|(at, _)| at)
    }

    /// The word people know an archive by: its code name with what follows, else its suite.
    pub fn archive(&self) -> &str {
        if self.codename.is_empty() { &self.suite } else { &self.codename }
    }

    /// Host it was fetched from.
    pub fn host(&self) -> &str {
        self.base.split('_').next().unwrap_or("")
    }

    /// What its versions count without any pin.
    pub fn priority(&self) -> i32 {
        match (self.not_automatic, self.but_upgrades) {
            (true, true) => 100,
            (true, false) => 1,
            _ => 500,
        }
    }
}
