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

/// Every release, newest first, in the caller's transaction.
pub(crate) async fn all(db: &impl ConnectionTrait) -> Result<Vec<Release>, ReleaseError> {
    service::read(db, None).await
}

/// A file in the data directory that has no name any more: it goes when nobody holds it.
pub(crate) fn unnamed_file(data_dir: &std::path::Path) -> std::io::Result<std::fs::File> {
    let path = data_dir.join(format!(".{}.partial", uuid::Uuid::now_v7().simple()));
    let file = std::fs::File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(path)?;
    Ok(file)
}

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
