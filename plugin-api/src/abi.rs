//! The binary contract. The only place (with each engine's export) that names `abi_stable`.
//!
//! Prefix types and traits grow at the end only; `tests/it/layout.rs` keeps a snapshot of the layout.

#![allow(non_local_definitions)] // What `sabi_trait` expands to.

mod agent;
mod engine;
mod http;
mod log;
mod module;
mod services;
mod sql;

pub use abi_stable;
pub use async_ffi::{self, FfiFuture, FutureExt};

pub use agent::*;
pub use engine::*;
pub use http::*;
pub use log::*;
pub use module::*;
pub use services::*;
pub use sql::*;

use abi_stable::{
    StableAbi,
    std_types::{RResult, RString},
};

/// [`crate::EngineError`] on the wire.
#[repr(C)]
#[derive(StableAbi, Debug, Clone)]
pub struct AbiError {
    /// Stable snake_case code.
    pub code: RString,
    /// What is wrong and what to do next.
    pub message: RString,
}

/// Result of a call across the boundary.
pub type AbiResult<T> = RResult<T, AbiError>;

impl From<crate::EngineError> for AbiError {
    fn from(e: crate::EngineError) -> Self {
        Self { code: e.code.into(), message: e.message.into() }
    }
}

impl From<AbiError> for crate::EngineError {
    fn from(e: AbiError) -> Self {
        Self { code: e.code.into(), message: e.message.into() }
    }
}
