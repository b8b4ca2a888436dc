//! A set of permissions with patterns, and a grant: a set within a scope.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Permissions by name (`machines:approve`) or pattern: `*` for all, `machines:*` for all that begin so,
/// `*:read` for all that end so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PermissionSet(BTreeSet<String>);

impl PermissionSet {
    /// A set of names and patterns.
    pub fn new<S: Into<String>>(patterns: impl IntoIterator<Item = S>) -> Self {
        Self(patterns.into_iter().map(Into::into).collect())
    }

    /// Whether `permission` is in the set.
    pub fn allows(&self, permission: &str) -> bool {
        self.0.iter().any(|pattern| matches(pattern, permission))
    }

    /// Names and patterns, as given.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The first entry that is neither a name nor a pattern.
    pub fn first_malformed(&self) -> Option<&str> {
        self.patterns().find(|p| !well_formed(p))
    }
}

/// A permission set, and the machines it reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// What is allowed.
    pub permissions: PermissionSet,
    /// Selector of the machines; empty for all.
    pub scope: String,
}

impl Grant {
    /// All permissions on all machines.
    pub fn everything() -> Self {
        Self { permissions: PermissionSet::new(["*"]), scope: String::new() }
    }

    /// Whether this grant holds on the machines of `scope` and allows everything that the name or pattern `wanted` does.
    pub(crate) fn covers(&self, wanted: &str, scope: &str) -> bool {
        let own = self.scope.trim();
        (own.is_empty() || own == scope.trim())
            && self.permissions.patterns().any(|p| p == wanted || matches(p, wanted))
    }
}

fn matches(pattern: &str, permission: &str) -> bool {
    match (pattern.strip_suffix('*'), pattern.strip_prefix('*')) {
        (Some(""), _) => true,
        (Some(prefix), _) => permission.starts_with(prefix),
        (_, Some(suffix)) => permission.ends_with(suffix),
        _ => pattern == permission,
    }
}

fn well_formed(pattern: &str) -> bool {
    let bare = pattern.strip_suffix(":*").or(pattern.strip_prefix("*:")).unwrap_or(pattern);
    pattern == "*"
        || (pattern.len() <= 100
            && bare.split(':').all(|part| {
                !part.is_empty()
                    && part
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
            }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_by_prefix_suffix_or_name() {
        let set = PermissionSet::new(["machines:*", "*:read", "users:create"]);
        for allowed in ["machines:approve", "automation:scripts:read", "users:create"] {
            assert!(set.allows(allowed), "{allowed}");
        }
        for refused in ["users:delete", "machine:approve", "read", "users:create:more"] {
            assert!(!set.allows(refused), "{refused}");
        }
    }

    #[test]
    fn a_malformed_pattern_is_named() {
        for bad in ["", "a**", "A:b", "a::b", "*a", "a b"] {
            assert_eq!(PermissionSet::new([bad]).first_malformed(), Some(bad));
        }
        assert_eq!(PermissionSet::new(["*", "a:*", "*:read", "a:b_c"]).first_malformed(), None);
    }
}
