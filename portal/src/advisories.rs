//! Advisories: what is wrong with versions of engines, and the lowest version of an engine that is still good.

pub mod entity;
mod error;
pub mod routes;
mod service;
mod store;

use sea_orm::{ConnectionTrait, DbErr};
use trust::LowestGood;

pub use error::AdvisoryError;
pub use service::{Advisories, Advisory, Documents, Floor, NewAdvisory, Severity};

/// Floors, as the revocation list says them.
pub(crate) async fn lowest_good(db: &impl ConnectionTrait) -> Result<Vec<LowestGood>, DbErr> {
    let rows = store::floors(db).await?;
    let floor = |row: entity::floor::Model| {
        Some(LowestGood { version: row.version.parse().ok()?, engine: row.engine })
    };
    Ok(rows.into_iter().filter_map(floor).collect())
}
