//! `plugin.toml` as it lies in an engine's source: a manifest without what only packing knows.

use plugin_api::{Manifest, manifest::ManifestError};

/// Parse a template: `built_at` becomes the Unix epoch, `targets` a placeholder, `files` empty.
///
/// # Errors
/// [`ManifestError`] names the key and what is expected; `files`, `built_at` and `targets` may not be set.
pub fn parse(text: &str) -> Result<Manifest, ManifestError> {
    let mut table: toml::Table = toml::from_str(text).map_err(|e| ManifestError::Syntax(e.to_string()))?;
    for key in ["built_at", "targets", "files"] {
        if table.contains_key(key) {
            return Err(ManifestError::Syntax(format!("`{key}` is written by packing, not in the source")));
        }
    }
    table.insert("built_at".into(), "1970-01-01T00:00:00Z".into());
    table.insert("targets".into(), toml::Value::Array(vec!["any".into()]));
    Manifest::parse(table.to_string().as_bytes())
}
