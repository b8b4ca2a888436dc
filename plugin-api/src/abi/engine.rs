//! The server half of an engine, as the host sees it.

use abi_stable::{
    sabi_trait,
    std_types::{RString, RVec},
};

use super::{AbiRequest, AbiResponse, AbiResult, FfiFuture};

/// Methods the host calls on a server half.
#[sabi_trait]
pub trait ServerEngine: Send + Sync + 'static {
    /// Serve one HTTP request. Panics inside become a 500 answer. Dropping the future cancels the request.
    fn handle(&self, request: AbiRequest) -> FfiFuture<AbiResponse>;
    /// Everything else, by name: the constants of [`crate::services::host_calls`].
    #[sabi(last_prefix_field)]
    fn call(&self, method: RString, payload: RVec<u8>) -> FfiFuture<AbiResult<RVec<u8>>>;
}
