//! `[metrics]`: who may read `/metrics`.

use serde::{Deserialize, Serialize};

/// Who may read `/metrics`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsConfig {
    /// Let everybody read `/metrics`. Otherwise it needs a token with `metrics:read`, or a local client.
    pub public: bool,
}
