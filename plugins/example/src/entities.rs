//! Tables as sea-orm sees them.

pub mod note;
