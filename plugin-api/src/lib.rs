//! The contract between a host (or agent) and an engine: the manifest, the ABI and the messages.
//!
//! Only plain data crosses the boundary. What changes often travels as JSON bytes whose structs live in
//! [`services`] and grow by serde defaults; what must be fast is typed in [`abi`].

pub mod abi;
pub mod capability;
pub mod context;
pub mod description;
pub mod error;
pub mod manifest;
pub mod services;

pub use capability::Capability;
pub use context::CallContext;
pub use error::EngineError;
pub use manifest::Manifest;

/// Version of this contract. An engine's manifest says which versions it runs with (`api = "^0.1"`).
pub const API_VERSION: &str = env!("CARGO_PKG_VERSION");
