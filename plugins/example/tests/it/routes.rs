//! Routes.

mod bench;
mod notes;
