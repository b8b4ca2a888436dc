//! Engines: published, listed, and downloaded by whoever holds a licence.

mod blobs;
mod channel;
mod checks;
mod counts;
mod download;
pub mod entity;
mod error;
mod gate;
mod picture;
mod publish;
pub mod routes;
mod screenshots;
mod service;
mod store;

use sea_orm::{ConnectionTrait, DbErr};

pub use channel::Channel;
pub use counts::Downloaded;
pub use download::Wanted;
pub use error::ReleaseError;
pub use publish::Published;
pub use screenshots::Screenshot;
pub use service::{Asks, Engine, File, Release, Releases};

use crate::catalogue::Tier;

/// Whether any version of an engine is published.
pub(crate) async fn is_published(db: &impl ConnectionTrait, engine: &str) -> Result<bool, DbErr> {
    Ok(!store::releases(db, Some(engine)).await?.is_empty())
}

/// The entitlements that a tier holds: those of every published engine of it and of lower tiers, in order.
pub(crate) async fn engines_of(db: &impl ConnectionTrait, tier: Tier) -> Result<Vec<String>, DbErr> {
    let mut ids: Vec<String> = store::entitlements(db)
        .await?
        .into_iter()
        .filter(|(_, of)| Tier::named(of).is_some_and(|of| of <= tier))
        .map(|(id, _)| id)
        .collect();
    ids.sort();
    ids.dedup();
    Ok(ids)
}
