//! The table of host services a server half receives.

use abi_stable::{
    StableAbi, sabi_trait,
    std_types::{RBox, ROption, RString, RVec},
};

use super::{AbiResult, FfiFuture, LogSinkBox, SqlServiceBox};

/// A host service called by method name with JSON payloads of [`crate::services`].
#[sabi_trait]
pub trait Service: Send + Sync + 'static {
    /// Call `method`.
    #[sabi(last_prefix_field)]
    fn call(&self, method: RString, payload: RVec<u8>) -> FfiFuture<AbiResult<RVec<u8>>>;
}

/// Boxed [`Service`].
pub type ServiceBox = Service_TO<RBox<()>>;

/// A granted service.
#[repr(C)]
#[derive(StableAbi)]
pub struct ServiceEntry {
    /// [`crate::Capability::name`], or `license`, which every engine has.
    pub name: RString,
    /// The service.
    pub service: ServiceBox,
}

/// What the host gives a server half. A capability that was not granted is not in here.
#[repr(C)]
#[derive(StableAbi)]
pub struct ServerServices {
    /// The signed manifest, as JSON of [`crate::Manifest`].
    pub manifest: RVec<u8>,
    /// Where log records go.
    pub log: LogSinkBox,
    /// SQL, when granted.
    pub sql: ROption<SqlServiceBox>,
    /// All other granted services, and `license`.
    pub services: RVec<ServiceEntry>,
}
