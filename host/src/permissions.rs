//! Permissions: the host's own, those that engines add while they run, and sets of them.

mod registry;
mod set;

pub use registry::{CORE, Permission, Registry};
pub use set::{Grant, PermissionSet};
