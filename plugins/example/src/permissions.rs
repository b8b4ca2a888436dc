//! Permissions, as `plugin.toml` declares them.

/// Read and export notes.
pub const READ: &str = "example:notes:read";
/// Create, change and delete notes.
pub const WRITE: &str = "example:notes:write";
/// Greet machines.
pub const GREET: &str = "example:greetings:send";
/// Call the routes that exist to be measured.
pub const BENCH: &str = "example:bench:run";
