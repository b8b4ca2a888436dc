//! Ubuntu Pro: whether the machine is attached and which services are on. No token is read.

use serde::{Deserialize, Serialize};

use super::is_default;

/// The state of Ubuntu Pro.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UbuntuPro {
    /// The machine is attached to a contract.
    pub attached: bool,
    /// Version of the client.
    #[serde(skip_serializing_if = "is_default")]
    pub version: String,
    /// Contract's name.
    #[serde(skip_serializing_if = "is_default")]
    pub contract: String,
    /// Account's name.
    #[serde(skip_serializing_if = "is_default")]
    pub account: String,
    /// When the contract ends, in Unix seconds.
    #[serde(skip_serializing_if = "is_default")]
    pub expires: Option<i64>,
    /// Support level, e.g. `standard`.
    #[serde(skip_serializing_if = "is_default")]
    pub support: String,
    /// Services.
    pub services: Vec<ProService>,
}

/// One service of the contract.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct ProService {
    /// Name, e.g. `esm-infra`.
    pub name: String,
    /// `enabled`, `disabled`, `warning`, `n/a`, as the client says.
    pub status: String,
    /// The contract includes it.
    #[serde(skip_serializing_if = "is_default")]
    pub entitled: bool,
    /// It exists for this release.
    #[serde(skip_serializing_if = "is_default")]
    pub available: bool,
}
