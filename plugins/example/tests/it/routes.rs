//! Routes.

mod notes;
