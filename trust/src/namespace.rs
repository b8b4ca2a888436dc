//! Which engines a key may speak for.

use crate::Error;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A set of engine ids, as a list of patterns: `*` is every engine, `acme` is that engine, `acme_*` is every id that begins
/// with `acme_`. Nothing else is a pattern; `acme_*` does not contain `acme`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Namespace(Vec<String>);

/// Whether `id` may name an engine: `[a-z][a-z0-9_]*`, at most 64 characters.
pub fn is_engine_id(id: &str) -> bool {
    id.len() <= 64
        && id.starts_with(|c: char| c.is_ascii_lowercase())
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

impl Namespace {
    /// Most patterns in a namespace.
    pub const MAX_PATTERNS: usize = 64;

    /// Every engine.
    pub fn all() -> Self {
        Self(vec!["*".to_owned()])
    }

    /// A namespace of these patterns.
    ///
    /// # Errors
    /// [`Error::Malformed`] when there is none, too many, or one is not a pattern.
    pub fn new<S: Into<String>>(patterns: impl IntoIterator<Item = S>) -> Result<Self, Error> {
        let patterns: Vec<String> =
            patterns.into_iter().map(Into::into).take(Self::MAX_PATTERNS + 1).collect();
        if patterns.is_empty() || patterns.len() > Self::MAX_PATTERNS {
            return Err(Error::malformed("namespace", "1 to 64 patterns are allowed"));
        }
        match patterns.iter().find(|p| !is_pattern(p)) {
            Some(bad) => Err(Error::malformed("namespace", format!("`{bad}` is not a pattern"))),
            None => Ok(Self(patterns)),
        }
    }

    /// Whether `engine` is one of them.
    pub fn contains(&self, engine: &str) -> bool {
        is_engine_id(engine)
            && self.0.iter().any(|pattern| match pattern.strip_suffix('*') {
                Some(prefix) => engine.starts_with(prefix) && engine.len() > prefix.len(),
                None => engine == pattern,
            })
    }

    /// Whether it is every engine.
    pub fn is_all(&self) -> bool {
        self.0.iter().any(|p| p == "*")
    }

    /// The patterns.
    pub fn patterns(&self) -> &[String] {
        &self.0
    }
}

fn is_pattern(pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some("") => true,
        Some(prefix) => prefix.ends_with('_') && is_engine_id(prefix),
        None => is_engine_id(pattern),
    }
}

impl TryFrom<Vec<String>> for Namespace {
    type Error = Error;
    fn try_from(patterns: Vec<String>) -> Result<Self, Error> {
        Self::new(patterns)
    }
}

impl From<Namespace> for Vec<String> {
    fn from(namespace: Namespace) -> Self {
        namespace.0
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}
