//! Queries. Every function takes a connection, so that callers decide what is one transaction. No host service is ever
//! called inside a transaction: on SQLite one writer serves the whole host.

pub mod approvals;
pub mod runs;
pub mod schedules;
pub mod scripts;
pub mod targets;

use std::collections::BTreeSet;

use plugin_sdk::{Ctx, sea_orm::DbErr};
use uuid::Uuid;

use crate::{model::limits, permissions};

/// Result of a query.
pub type Result<T> = std::result::Result<T, DbErr>;

/// Whose eyes a list is for.
#[derive(Debug, Clone)]
pub struct Viewer {
    /// Principal.
    pub principal: String,
    /// Roles of the actor.
    pub roles: BTreeSet<String>,
    /// Scope of the actor; empty for all machines.
    pub scope: String,
    /// Whether everybody's scripts are seen.
    pub all: bool,
}

impl Viewer {
    /// The actor of a call.
    pub fn of(ctx: &Ctx) -> Self {
        Self {
            principal: ctx.principal(),
            roles: ctx.roles.clone(),
            scope: ctx.scope.clone(),
            all: ctx.allows(permissions::SCRIPTS_MANAGE),
        }
    }
}

/// A page: how many, and after which id.
#[derive(Debug, Clone, Copy)]
pub struct PageRequest {
    /// Rows wanted.
    pub limit: u64,
    /// Id of the last row of the page before.
    pub after: Option<Uuid>,
}

impl PageRequest {
    /// A page within the limits.
    pub fn new(limit: Option<u64>, after: Option<Uuid>) -> Self {
        Self { limit: limit.unwrap_or(limits::PAGE_DEFAULT).clamp(1, limits::PAGE), after }
    }
}

/// Escape text for LIKE and surround it with `%`. The escape character is `!`: PostgreSQL writes a backslash as `E'\\'`,
/// a literal that the host's SQL guard refuses.
pub(crate) fn contains(text: &str) -> plugin_sdk::sea_orm::sea_query::LikeExpr {
    let escaped = text.to_lowercase().replace('!', "!!").replace('%', "!%").replace('_', "!_");
    plugin_sdk::sea_orm::sea_query::LikeExpr::new(format!("%{escaped}%")).escape('!')
}
