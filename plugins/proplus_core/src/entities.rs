//! Tables as sea-orm sees them.

pub mod entry;
pub mod notice;
pub mod renewal;
pub mod standing;
pub mod usage;
