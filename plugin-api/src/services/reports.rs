//! Service `reports`, method `register` ([`DatasetSpec`]); the host asks with [`super::host_calls::DATASET`].

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A data set offered to reports.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DatasetSpec {
    /// Name within the engine.
    pub name: String,
    /// What it holds.
    pub description: String,
    /// Column names and kinds (`text`, `number`, `time`, `boolean`).
    pub columns: Vec<(String, String)>,
    /// Permission to read it.
    pub permission: Option<String>,
}

/// Asks an engine for rows.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DatasetQuery {
    /// The reader's context.
    pub context: crate::CallContext,
    /// Data set.
    pub name: String,
    /// Rows skipped.
    pub offset: u64,
    /// Rows wanted.
    pub limit: u32,
}

/// Rows, in the order of the columns.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Dataset {
    /// Rows.
    pub rows: Vec<Vec<Value>>,
    /// All there are.
    pub total: u64,
}
