//! Engines on a machine: what to run, and what became of it.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::{
    frame::{Check, at_most, name},
    inventory::Digest,
    limits,
};

/// The complete list of engines this machine should run; what is not in it is unloaded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineAssign {
    /// The engines.
    pub engines: Vec<AssignedEngine>,
    /// The newest signed revocation list, empty for none. The agent keeps the newest it has seen.
    #[serde(default)]
    pub revocations: ByteBuf,
}

/// An engine to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignedEngine {
    /// Engine id.
    pub id: String,
    /// Exact version.
    pub version: String,
    /// SHA-256 of the package.
    pub digest: Digest,
    /// Size of the package in bytes.
    pub size: u64,
    /// Licence proof (JSON) that the agent verifies against its own roots before it loads the engine.
    pub license_proof: ByteBuf,
}

impl Check for EngineAssign {
    fn check(&self) -> Result<(), &'static str> {
        at_most(self.engines.len(), 1024, "engines")?;
        at_most(self.revocations.len(), 1024 * 1024, "revocations")?;
        for engine in &self.engines {
            name(&engine.id, "engines.id")?;
            name(&engine.version, "engines.version")?;
            at_most(engine.license_proof.len(), 64 * 1024, "engines.license_proof")?;
        }
        Ok(())
    }
}

/// An engine that is loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadedEngine {
    /// Engine id.
    pub id: String,
    /// Version.
    pub version: String,
}

impl Check for LoadedEngine {
    fn check(&self) -> Result<(), &'static str> {
        name(&self.id, "engines.id")?;
        name(&self.version, "engines.version")
    }
}

/// What became of the assigned engines; complete, sent after each change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineStatus {
    /// One entry per engine.
    pub engines: Vec<EngineReport>,
}

/// What became of one engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineReport {
    /// Engine id.
    pub id: String,
    /// Version.
    pub version: String,
    /// State.
    pub state: EngineState,
    /// Stable code of the reason, when refused or failed.
    #[serde(default)]
    pub code: String,
    /// A sentence for people.
    #[serde(default)]
    pub message: String,
}

/// State of an engine on a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineState {
    /// The package is being fetched or verified.
    Fetching,
    /// It serves commands.
    Loaded,
    /// Signature, licence, target, version or the owner's policy forbid it.
    Refused,
    /// It could not be fetched or started; the agent tries again.
    Failed,
}

impl Check for EngineStatus {
    fn check(&self) -> Result<(), &'static str> {
        at_most(self.engines.len(), 1024, "engines")?;
        for engine in &self.engines {
            name(&engine.id, "engines.id")?;
            name(&engine.version, "engines.version")?;
            at_most(engine.code.len(), limits::MAX_NAME_BYTES, "engines.code")?;
            at_most(engine.message.len(), limits::MAX_MESSAGE_BYTES, "engines.message")?;
        }
        Ok(())
    }
}
