//! Who may see and run a script.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// With whom a script is shared. Its owner always sees it, and so does whoever may manage all scripts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "with", rename_all = "snake_case")]
pub enum Sharing {
    /// Nobody else.
    #[default]
    Private,
    /// Some users and roles.
    Some {
        /// Users, as `user:<uuid>`.
        #[serde(default)]
        users: BTreeSet<String>,
        /// Roles by name.
        #[serde(default)]
        roles: BTreeSet<String>,
    },
    /// Everyone who may read scripts.
    Everyone,
}

impl Sharing {
    /// Name in the database.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Some { .. } => "some",
            Self::Everyone => "everyone",
        }
    }

    /// Whether a principal with these roles is among those the script is shared with.
    pub fn includes(&self, principal: &str, roles: &BTreeSet<String>) -> bool {
        match self {
            Self::Private => false,
            Self::Everyone => true,
            Self::Some { users, roles: shared } => users.contains(principal) || !shared.is_disjoint(roles),
        }
    }
}
