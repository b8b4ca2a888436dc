//! Licences: signed editions of what an order's history says.

pub mod entity;
mod error;
mod keys;
mod revocations;
mod rotation;
pub mod routes;
mod service;
mod store;

pub use error::LicensingError;
pub(crate) use routes::license_file;

pub use keys::{KeyState, KeyView, Keys, Ring};
pub(crate) use service::InForce;
pub use service::{License, Licensing};
