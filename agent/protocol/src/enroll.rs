//! Enrolment: JSON over HTTPS on the gateway, before the agent has a certificate.
//!
//! 1. The agent makes an ECDSA P-256 key and connects to the gateway. It trusts the server's chain when the SHA-256
//!    of the authority's certificate (DER, last of the chain the server presents) equals the pinned fingerprint.
//! 2. `POST` [`ENROLL_PATH`] with [`EnrollRequest`]. The answer is [`EnrollAnswer`], or problem+json.
//! 3. While it is [`EnrollAnswer::Pending`], `POST` [`POLL_PATH`] with [`PollRequest`]. The handle is a secret, and
//!    the proof shows that the caller holds the key: neither alone gets an answer.
//! 4. With the certificate it opens [`CONNECT_PATH`]. Polling stays possible for ever: an approved machine whose
//!    certificate has run out gets a new one the same way.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{UnixMs, session::MachineFacts};

/// Where to enrol.
pub const ENROLL_PATH: &str = "/agent/v1/enroll";
/// Where to ask whether enrolment was approved.
pub const POLL_PATH: &str = "/agent/v1/enroll/poll";
/// Where the WebSocket opens; needs a client certificate.
pub const CONNECT_PATH: &str = "/agent/v1/connect";
/// First bytes of what [`PollRequest::proof`] signs; the handle follows.
pub const POLL_PROOF_CONTEXT: &str = "sysmanage/agent/enroll-poll/v1\n";

/// Where an engine package is fetched from (GET, `Range`, client certificate).
pub fn package_path(id: &str, version: &str) -> String {
    format!("/agent/v1/engines/{id}/{version}/package")
}

/// What [`PollRequest::proof`] signs.
pub fn poll_proof_message(handle: &str) -> Vec<u8> {
    [POLL_PROOF_CONTEXT.as_bytes(), handle.as_bytes()].concat()
}

/// Ask to become a machine of this host. Enrolling again with the same key answers the machine's present state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrollRequest {
    /// Enrolment token from the administrator.
    pub token: String,
    /// PKCS #10 request, PEM, signed by the agent's key. Its names are ignored: identity is the key.
    pub csr_pem: String,
    /// Version of the agent.
    pub agent_version: String,
    /// What the machine is.
    pub facts: MachineFacts,
}

/// Whether the machine may come in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum EnrollAnswer {
    /// An administrator has to decide; poll.
    Pending {
        /// The machine's id on the host.
        machine_id: Uuid,
        /// Secret for polling; present in the answer to [`EnrollRequest`] only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        handle: Option<String>,
        /// Poll no sooner than this, in seconds.
        poll_after_s: u32,
    },
    /// Come in.
    Approved {
        /// The machine's id on the host.
        machine_id: Uuid,
        /// Secret for polling; present in the answer to [`EnrollRequest`] only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        handle: Option<String>,
        /// The client certificate and the authority's, PEM.
        chain_pem: String,
        /// End of the client certificate's life.
        not_after: UnixMs,
    },
    /// An administrator said no.
    Rejected {
        /// The machine's id on the host.
        machine_id: Uuid,
    },
}

/// Ask whether enrolment was approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollRequest {
    /// The secret from [`EnrollAnswer`].
    pub handle: String,
    /// ECDSA P-256 SHA-256 signature (ASN.1) by the agent's key over [`poll_proof_message`], base64 with padding.
    pub proof: String,
}
