//! Scripts and versions as shown.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    entities::{script, script_version},
    model::{parameter::Parameter, sharing::Sharing},
};

/// A script of the library.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ScriptView {
    /// Id.
    pub id: Uuid,
    /// Name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Who owns it.
    pub owner: String,
    /// Name of the owner.
    pub owner_name: String,
    /// Tags.
    pub tags: Vec<String>,
    /// Interpreter of the newest version.
    pub interpreter: String,
    /// Whether runs of the newest version need approval.
    pub privileged: bool,
    /// Number of the newest version.
    pub latest_version: i32,
    /// With whom it is shared; in lists only `private`, `some` or `everyone` is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sharing: Option<Sharing>,
    /// Kind of sharing: `private`, `some` or `everyone`.
    pub shared_with: String,
    /// When it was archived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archived_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<script::Model> for ScriptView {
    fn from(m: script::Model) -> Self {
        Self {
            id: m.id,
            name: m.name,
            description: m.description,
            owner: m.owner,
            owner_name: m.owner_name,
            tags: serde_json::from_str(&m.tags).unwrap_or_default(),
            interpreter: m.interpreter,
            privileged: m.privileged,
            latest_version: m.latest_version,
            sharing: None,
            shared_with: m.sharing,
            archived_at: m.archived_at,
            created_at: m.created_at,
            updated_at: m.updated_at,
        }
    }
}

/// A version of a script; it never changes.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct VersionView {
    /// Id.
    pub id: Uuid,
    /// Script.
    pub script_id: Uuid,
    /// From 1.
    pub number: i32,
    /// Text; left out in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Length of the text in bytes.
    pub bytes: usize,
    /// SHA-256 of the text.
    pub sha256: String,
    /// SHA-256 of everything that changes what it does: what approvals are bound to.
    pub fingerprint: String,
    /// Interpreter.
    pub interpreter: String,
    /// How values reach it: `environment` or `arguments`.
    pub passing: String,
    /// Parameters.
    pub parameters: Vec<Parameter>,
    /// Whether runs need approval.
    pub privileged: bool,
    /// User it runs as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_as: Option<String>,
    /// Working directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_directory: Option<String>,
    /// Seconds a run may take; 0 for the engine's setting.
    pub timeout_s: i32,
    /// What changed.
    pub note: String,
    /// Who made it.
    pub created_by: String,
    /// Name of who made it.
    pub created_by_name: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

impl VersionView {
    /// A version without its text.
    pub fn without_content(m: script_version::Model) -> Self {
        Self { content: None, ..Self::from(m) }
    }
}

impl From<script_version::Model> for VersionView {
    fn from(m: script_version::Model) -> Self {
        Self {
            id: m.id,
            script_id: m.script_id,
            number: m.number,
            bytes: m.content.len(),
            content: Some(m.content),
            sha256: m.sha256,
            fingerprint: m.fingerprint,
            interpreter: m.interpreter,
            passing: m.passing,
            parameters: serde_json::from_str(&m.parameters).unwrap_or_default(),
            privileged: m.privileged,
            run_as: m.run_as,
            working_directory: m.working_directory,
            timeout_s: m.timeout_s,
            note: m.note,
            created_by: m.created_by,
            created_by_name: m.created_by_name,
            created_at: m.created_at,
        }
    }
}
