//! The root module: what a library exports.

use abi_stable::{
    StableAbi,
    library::RootModule,
    package_version_strings,
    sabi_types::VersionStrings,
    std_types::{RBox, RVec},
};

use super::{AbiResult, AgentEngine_TO, AgentServices, FfiFuture, ServerEngine_TO, ServerServices};

/// Server half of an engine, boxed by the engine.
pub type ServerEngineBox = ServerEngine_TO<RBox<()>>;
/// Agent half of an engine, boxed by the engine.
pub type AgentEngineBox = AgentEngine_TO<RBox<()>>;

/// Functions every engine library exports.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = EngineModuleRef)))]
#[sabi(missing_field(panic))]
pub struct EngineModule {
    /// [`crate::description::Description`] as JSON. Pure: neither threads nor files.
    pub describe: extern "C" fn() -> RVec<u8>,
    /// Builds the server half; called once per loaded version.
    pub create_server: extern "C" fn(ServerServices) -> FfiFuture<AbiResult<ServerEngineBox>>,
    /// Builds the agent half; called once per loaded version.
    #[sabi(last_prefix_field)]
    pub create_agent: extern "C" fn(AgentServices) -> FfiFuture<AbiResult<AgentEngineBox>>,
}

impl RootModule for EngineModuleRef {
    abi_stable::declare_root_module_statics! {EngineModuleRef}
    const BASE_NAME: &'static str = "engine";
    const NAME: &'static str = "engine";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}
