//! Approvals as shown.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{RunView, VersionView};
use crate::entities::approval;

/// An approval asked for one run.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ApprovalView {
    /// Id.
    pub id: Uuid,
    /// Run.
    pub run_id: Uuid,
    /// Script.
    pub script_id: Uuid,
    /// `pending`, `approved`, `used`, `rejected`, `expired`, `withdrawn` or `invalid`.
    pub state: String,
    /// Digest of script, values, targets, window and limits: what approving signs off.
    pub binding: String,
    /// Fingerprint of the version.
    pub fingerprint: String,
    /// Digest of the values.
    pub values_digest: String,
    /// Digest of the targets.
    pub targets_digest: String,
    /// Who asks.
    pub requested_by: String,
    /// Name of who asks.
    pub requested_by_name: String,
    /// Why.
    pub justification: String,
    /// When it was asked.
    pub created_at: DateTime<Utc>,
    /// When it lapses.
    pub expires_at: DateTime<Utc>,
    /// Who decided.
    pub decided_by: Option<String>,
    /// Name of who decided.
    pub decided_by_name: Option<String>,
    /// When.
    pub decided_at: Option<DateTime<Utc>>,
    /// Reason of the decision.
    pub reason: Option<String>,
    /// The run, for a single approval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunView>,
    /// The version with its text, for a single approval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionView>,
}

impl From<approval::Model> for ApprovalView {
    fn from(m: approval::Model) -> Self {
        Self {
            id: m.id,
            run_id: m.run_id,
            script_id: m.script_id,
            state: m.state,
            binding: m.binding,
            fingerprint: m.fingerprint,
            values_digest: m.values_digest,
            targets_digest: m.targets_digest,
            requested_by: m.requested_by,
            requested_by_name: m.requested_by_name,
            justification: m.justification,
            created_at: m.created_at,
            expires_at: m.expires_at,
            decided_by: m.decided_by,
            decided_by_name: m.decided_by_name,
            decided_at: m.decided_at,
            reason: m.reason,
            run: None,
            version: None,
        }
    }
}
