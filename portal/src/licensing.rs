//! Licences: signed editions of what an order's history says.

pub mod entity;
mod error;
mod keys;
pub mod routes;
mod service;
mod store;

pub use error::LicensingError;
pub use keys::Keys;
pub use service::{License, Licensing};
