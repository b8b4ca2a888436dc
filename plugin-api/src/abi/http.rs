//! HTTP requests and responses as plain data, with bodies that stream.

use abi_stable::{
    StableAbi, sabi_trait,
    std_types::{RBox, ROption, RString, RVec},
};

use super::{AbiResult, FfiFuture};

/// One header; the value is raw bytes, as HTTP allows.
#[repr(C)]
#[derive(StableAbi, Debug, Clone)]
pub struct AbiHeader {
    /// Lower-case name.
    pub name: RString,
    /// Value bytes.
    pub value: RVec<u8>,
}

/// A body that arrives in chunks. The reader sets the pace: nothing is read ahead of `next`.
#[sabi_trait]
pub trait BodyStream: Send + Sync + 'static {
    /// The next chunk, `None` at the end. One call at a time.
    #[sabi(last_prefix_field)]
    fn next(&self) -> FfiFuture<ROption<AbiResult<RVec<u8>>>>;
}

/// Boxed [`BodyStream`].
pub type BodyStreamBox = BodyStream_TO<RBox<()>>;

/// A request's or response's body.
#[repr(C, u8)]
#[derive(StableAbi)]
pub enum AbiBody {
    /// Known whole; empty for none.
    Full(RVec<u8>),
    /// Streams.
    Stream(BodyStreamBox),
}

/// A request for the engine's router.
#[repr(C)]
#[derive(StableAbi)]
pub struct AbiRequest {
    /// `GET`, `POST`, ...
    pub method: RString,
    /// Path below the engine's prefix and query, e.g. `/scripts?q=a`.
    pub uri: RString,
    /// Headers without credentials: the host strips `authorization` and `cookie`.
    pub headers: RVec<AbiHeader>,
    /// [`crate::CallContext`] as JSON.
    pub context: RVec<u8>,
    /// Body.
    pub body: AbiBody,
}

/// The router's answer.
#[repr(C)]
#[derive(StableAbi)]
pub struct AbiResponse {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: RVec<AbiHeader>,
    /// Body.
    pub body: AbiBody,
}
