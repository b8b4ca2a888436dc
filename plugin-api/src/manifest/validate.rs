//! Checks of a manifest that its syntax cannot express.

use std::collections::BTreeSet;

use super::Manifest;
use crate::Capability;

/// Why a manifest is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Larger than [`super::MAX_MANIFEST_BYTES`].
    #[error("plugin.toml has {0} bytes; at most 1 MiB is read")]
    TooLarge(usize),
    /// Not text.
    #[error("plugin.toml is not UTF-8")]
    NotUtf8,
    /// TOML or type error.
    #[error("plugin.toml does not parse: {0}")]
    Syntax(String),
    /// A value out of its form.
    #[error("plugin.toml: `{key}` is `{value}`; expected {expected}")]
    Invalid {
        /// Key with the fault.
        key: &'static str,
        /// What stands there.
        value: String,
        /// What is expected.
        expected: &'static str,
    },
}

fn invalid(key: &'static str, value: &str, expected: &'static str) -> ManifestError {
    ManifestError::Invalid { key, value: value.chars().take(80).collect(), expected }
}

fn is_word(s: &str, max: usize) -> bool {
    s.len() <= max
        && s.starts_with(|c: char| c.is_ascii_lowercase())
        && s.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

/// Whether `path` may stand in a package: relative, no odd parts, printable.
pub(crate) fn is_safe_path(path: &str) -> bool {
    path.len() <= 240
        && !path.contains(['\\', ':'])
        && path.chars().all(|c| !c.is_control())
        && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

impl Manifest {
    /// Check everything beyond syntax.
    pub(super) fn validate(&self) -> Result<(), ManifestError> {
        if !is_word(&self.id, 40) || self.id.len() < 2 || self.id == "core" {
            return Err(invalid(
                "id",
                &self.id,
                "2 to 40 of a-z, 0-9, _ that begin with a letter, not `core`",
            ));
        }
        if !matches!(self.tier.as_str(), "free" | "professional" | "enterprise") {
            return Err(invalid("tier", &self.tier, "free, professional or enterprise"));
        }
        for (key, value) in [("name", &self.name), ("publisher", &self.publisher)] {
            if value.trim().is_empty() || value.len() > 120 {
                return Err(invalid(key, value, "1 to 120 characters"));
            }
        }
        self.validate_names()?;
        self.validate_capabilities()?;
        self.validate_files()
    }

    fn validate_names(&self) -> Result<(), ManifestError> {
        let prefix = format!("{}:", self.id);
        for p in &self.permissions {
            if !p.name.starts_with(&prefix) || p.name.len() > 100 {
                return Err(invalid(
                    "permissions.name",
                    &p.name,
                    "a name that begins with the engine's id and `:`",
                ));
            }
            if let Some(role) = p.roles.iter().find(|r| !matches!(r.as_str(), "operator" | "viewer")) {
                return Err(invalid("permissions.roles", role, "operator or viewer"));
            }
        }
        for c in &self.commands {
            if !is_word(&c.name, 60) {
                return Err(invalid("commands.name", &c.name, "snake_case of at most 60 characters"));
            }
            if c.timeout_s == 0 || c.timeout_s > 86_400 {
                return Err(invalid("commands.timeout_s", &c.timeout_s.to_string(), "1 to 86400 seconds"));
            }
        }
        for s in &self.settings {
            if !is_word(&s.key, 60) {
                return Err(invalid("settings.key", &s.key, "snake_case of at most 60 characters"));
            }
        }
        if let Some(e) = self.entitlement.as_ref().filter(|e| !is_word(e, 40)) {
            return Err(invalid("entitlement", e, "an engine id"));
        }
        Ok(())
    }

    fn validate_capabilities(&self) -> Result<(), ManifestError> {
        let c = &self.capabilities;
        let uses: BTreeSet<_> = c.uses.iter().collect();
        for (listed, key, needs) in [
            (!c.views.is_empty(), "capabilities.views", Capability::Sql),
            (!c.subscribes.is_empty(), "capabilities.subscribes", Capability::Events),
            (!c.origins.is_empty(), "capabilities.origins", Capability::Http),
            (c.files_mib.is_some(), "capabilities.files_mib", Capability::Files),
        ] {
            if listed && !uses.contains(&needs) {
                return Err(invalid(key, needs.name(), "its capability in `capabilities.uses` too"));
            }
        }
        if let Some(v) = c.views.iter().find(|v| !v.starts_with("v1_") || !is_word(v, 60)) {
            return Err(invalid("capabilities.views", v, "a view named v1_*"));
        }
        if let Some(o) = c.origins.iter().find(|o| !o.starts_with("https://") && !o.starts_with("http://")) {
            return Err(invalid("capabilities.origins", o, "an origin such as https://api.example.org"));
        }
        Ok(())
    }

    /// A console that asked for a file that no package holds would show an empty page.
    fn validate_ui(&self) -> Result<(), ManifestError> {
        let Some(ui) = &self.ui else { return Ok(()) };
        let kinds =
            [("ui.entry", ".js", std::slice::from_ref(&ui.entry)), ("ui.styles", ".css", &ui.styles[..])];
        for (key, ending, paths) in kinds {
            if let Some(odd) = paths.iter().find(|p| !is_safe_path(p) || !p.ends_with(ending)) {
                return Err(invalid(key, odd, "a .js entry and .css styles, relative to ui/"));
            }
        }
        Ok(())
    }

    fn validate_files(&self) -> Result<(), ManifestError> {
        let mut seen = BTreeSet::new();
        for f in &self.files {
            if !is_safe_path(&f.path) || matches!(f.path.as_str(), "plugin.toml" | "plugin.sig") {
                return Err(invalid("files.path", &f.path, "a relative path without `..`"));
            }
            if !seen.insert(f.path.to_lowercase()) {
                return Err(invalid("files.path", &f.path, "each file once"));
            }
        }
        self.validate_ui()?;
        if self.targets.is_empty() {
            return Err(invalid("targets", "[]", "at least one target triple"));
        }
        let odd = |t: &&String| {
            t.is_empty()
                || t.len() > 60
                || !t.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        if let Some(t) = self.targets.iter().find(odd) {
            return Err(invalid("targets", t, "a Rust target triple"));
        }
        Ok(())
    }
}
