//! Distribution through TUF: what is published, signed in one edition after another, and served to hosts.
//!
//! An edition is made of what stands in the database, and written in one transaction: whoever dies in between leaves the
//! edition before. Metadata are public; the bytes of engines are behind the gate of downloads.

mod bundle;
mod contents;
pub mod entity;
mod error;
mod keys;
mod rotate;
pub mod routes;
mod service;
mod store;

pub use bundle::Selection;
pub use error::TufError;
pub use rotate::{Role, Rotated, Rotation, first_root};
pub use service::{ROUND, Tuf};

/// An error with its causes, for the log.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
