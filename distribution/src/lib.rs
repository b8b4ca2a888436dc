//! Engines distributed through TUF (The Update Framework): the client of hosts, air-gap bundles, and the portal's publisher.
//!
//! The client is ours, on the types, the canonical form and the signature check of `tough` (ADR 0070): one bad delegation
//! does not harm the others, time is given by the caller, and every file has a limit that its parent or [`Limits`] sets.
//!
//! ```no_run
//! # async fn look() -> Result<(), distribution::DistributionError> {
//! use distribution::{Client, FolderTransport};
//!
//! let root = std::fs::read("root.json").expect("the root that was shipped");
//! let client = Client::new(root, "trusted-metadata".into(), chrono::Utc::now());
//! let repository = client.refresh(&FolderTransport::new("mirror")).await?;
//! for listed in repository.releases() {
//!     tracing_like(&listed.path, &listed.release.version);
//! }
//! # fn tracing_like(_: &str, _: &semver::Version) {}
//! # Ok(()) }
//! ```

pub mod bundle;
mod client;
mod datastore;
mod delegations;
mod error;
mod fetch;
mod limits;
mod listed;
mod metadata;
mod names;
mod patterns;
#[cfg(feature = "publish")]
pub mod publish;
mod repository;
mod root;
mod roots;
mod transport;

pub use client::Client;
pub use error::DistributionError;
pub use limits::Limits;
pub use listed::{ADVISORIES, Advisory, EngineRelease, FLOORS, Listed, REVOCATIONS, engine_path};
pub use names::consistent_name;
pub use repository::{BrokenRole, Repository};
pub use roots::built_in_root;
pub use transport::{Body, Fetched, FolderTransport, Location, Transport, TransportError};
