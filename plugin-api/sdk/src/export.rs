//! What a library exports: [`crate::export_engine!`] and the functions behind the root module.

use plugin_api::{
    EngineError, Manifest,
    abi::{
        AbiResult, AgentEngineBox, AgentServices, EngineModule, FfiFuture, FutureExt, ServerEngineBox,
        ServerServices,
        abi_stable::{
            prefix_type::PrefixTypeTrait,
            std_types::{RResult, RVec},
        },
    },
    description::Description,
};

use crate::{agent, engine::Exported, guard, server, template};

/// Export an engine from its library: `plugin_sdk::export_engine!(Automation);` once per crate.
#[macro_export]
macro_rules! export_engine {
    ($engine:ty) => {
        impl $crate::Exported for $engine {
            const VERSION: &'static str = env!("CARGO_PKG_VERSION");
        }

        const _: () = {
            use $crate::export::library::{
                __call_root_module_loader, CheckTypeLayout, LibHeader, RootModuleResult,
            };

            extern "C" fn root_module() -> RootModuleResult {
                __call_root_module_loader($crate::export::root_module::<$engine>)
            }

            // What `abi_stable::export_root_module` emits, in the syntax of this edition.
            #[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
            pub static ENGINE: LibHeader = unsafe {
                // SAFETY: `root_module` answers an `EngineModuleRef`.
                LibHeader::from_constructor::<$crate::export::EngineModuleRef>(
                    root_module,
                    CheckTypeLayout::Yes,
                )
            };
        };
    };
}

#[doc(hidden)]
pub use plugin_api::abi::{EngineModuleRef, abi_stable::library};

/// The root module of a loaded library. From here on every panic in this copy of the SDK is the engine's.
#[doc(hidden)]
pub fn root_module<E: Exported>() -> EngineModuleRef {
    guard::mark_exported();
    module::<E>().leak_into_prefix()
}

/// The functions a library exports, as an in-process test calls them.
pub fn module<E: Exported>() -> EngineModule {
    EngineModule {
        describe: describe::<E>,
        create_server: create_server::<E>,
        create_agent: create_agent::<E>,
    }
}

extern "C" fn describe<E: Exported>() -> RVec<u8> {
    guard::install_hook();
    let described = guard::catch(|| description::<E>().and_then(|d| plugin_api::error::encode(&d)));
    match described {
        Ok(Ok(bytes)) => bytes.into(),
        // Not JSON of a description: the host refuses the engine.
        Ok(Err(e)) => e.to_string().into_bytes().into(),
        Err(guard::Panicked) => EngineError::panicked("`describe`").to_string().into_bytes().into(),
    }
}

/// What the engine says of itself.
///
/// # Errors
/// When the manifest in the engine's source does not parse.
pub fn description<E: Exported>() -> Result<Description, EngineError> {
    let manifest = manifest::<E>()?;
    let openapi = E::router().into_openapi();
    Ok(Description {
        id: manifest.id,
        version: E::VERSION.into(),
        api_version: plugin_api::API_VERSION.into(),
        openapi: serde_json::to_value(openapi).map_err(EngineError::bad_payload)?,
        commands: E::commands().names(),
        jobs: E::jobs().iter().map(|job| (*job).to_owned()).collect(),
    })
}

/// The manifest in the engine's source.
///
/// # Errors
/// `bad_manifest` says which key is wrong.
pub fn manifest<E: Exported>() -> Result<Manifest, EngineError> {
    template::parse(E::MANIFEST).map_err(|e| EngineError::new("bad_manifest", e.to_string()))
}

extern "C" fn create_server<E: Exported>(services: ServerServices) -> FfiFuture<AbiResult<ServerEngineBox>> {
    async move {
        match server::create::<E>(services).await {
            Ok(engine) => RResult::ROk(engine),
            Err(e) => RResult::RErr(e.into()),
        }
    }
    .into_ffi()
}

extern "C" fn create_agent<E: Exported>(services: AgentServices) -> FfiFuture<AbiResult<AgentEngineBox>> {
    async move {
        match agent::create::<E>(services).await {
            Ok(engine) => RResult::ROk(engine),
            Err(e) => RResult::RErr(e.into()),
        }
    }
    .into_ffi()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_exported_name_is_the_one_that_loaders_look_for() {
        let name = "_1as_0lib_1header_0root_bmodule_bloader";
        assert_eq!(super::library::ROOT_MODULE_LOADER_NAME, name);
    }
}
