//! Service `license`, method `proof`: every engine has it. The SDK checks the answer against its own roots.

use serde::{Deserialize, Serialize};

/// Asks for a proof.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ProofRequest {
    /// Random, hex; signed by the host's instance key.
    pub nonce: String,
}

/// What the host knows of licences, as signed by others, and its own signature over the nonce.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Proof {
    /// Installed licence tokens.
    pub tokens: Vec<String>,
    /// Newest signed revocation list.
    pub revocations: Option<String>,
    /// Public key of the host instance, base64.
    pub instance_public_key: String,
    /// Nonce, as asked.
    pub nonce: String,
    /// Signature over the nonce, base64.
    pub signature: String,
    /// The host's time with its floor, in milliseconds since the Unix epoch.
    pub now_unix_ms: i64,
}
