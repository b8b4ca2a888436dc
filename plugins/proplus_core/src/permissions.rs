//! Permissions, as `plugin.toml` declares them.

/// See licences, coverage, machines used and the ledger.
pub const READ: &str = "proplus_core:license:read";
/// Request renewals and take in their answers.
pub const RENEW: &str = "proplus_core:license:renew";
