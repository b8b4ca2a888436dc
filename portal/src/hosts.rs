//! Hosts that call: identified by their proof, told of newer licences and revocations, and countersigned what they used.

mod contact;
pub mod entity;
mod error;
mod identify;
pub mod routes;
mod store;
mod usage;

use std::sync::Arc;

use trust::KeyId;
use uuid::Uuid;

pub use contact::{Answer, Contact, HostEngine};
pub use error::HostError;
pub use usage::{KeptReceipt, UsedBy, Which};

use crate::{app::Core, licensing::Licensing};

/// A host that proved its instance key and a licence of this portal that is not another instance's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Id of its instance key.
    pub instance: KeyId,
    /// Id of the licence.
    pub license: String,
    /// When the edition that the host has was signed.
    pub edition: chrono::DateTime<chrono::Utc>,
    /// Whose licence it is.
    pub organisation: Uuid,
}

/// The service.
pub struct Hosts {
    core: Arc<Core>,
    licensing: Arc<Licensing>,
}

impl Hosts {
    /// Build over the shared part.
    pub fn new(core: Arc<Core>, licensing: Arc<Licensing>) -> Self {
        Self { core, licensing }
    }
}
