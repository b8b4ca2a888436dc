//! What a loaded engine says of itself. Compared with the signed manifest; a lie is a refusal.

use serde::{Deserialize, Serialize};

/// Answer of [`crate::abi::EngineModule`]'s `describe`, as JSON.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Description {
    /// Engine id, equal to the manifest's.
    pub id: String,
    /// Engine version, equal to the manifest's.
    pub version: String,
    /// [`crate::API_VERSION`] the engine was built with.
    pub api_version: String,
    /// OpenAPI 3.1 document of the engine's routes, paths relative to the engine's prefix. Each operation
    /// carries `x-permission`, the permission the host asks for before it forwards a call.
    pub openapi: serde_json::Value,
    /// Commands of the agent half.
    pub commands: Vec<String>,
    /// Jobs the engine answers to.
    pub jobs: Vec<String>,
}

/// One migration, rendered for the host's database. Answer to the call `migrations`, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MigrationScript {
    /// Unique, ordered name: `m0001_create_scripts`.
    pub name: String,
    /// Statements, run in order in one transaction; their text is what the ledger hashes.
    pub statements: Vec<String>,
}
