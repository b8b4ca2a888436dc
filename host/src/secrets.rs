//! Secrets by name: written over the API, read only by engines with the capability, sealed at rest.

mod entity;
mod error;
pub mod routes;
mod service;

pub use error::SecretError;
pub use service::{Secret, Secrets};
