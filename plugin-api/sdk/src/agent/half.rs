//! The agent half behind the ABI.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use licenses::EngineBuild;

use plugin_api::{
    EngineError, Manifest,
    abi::{
        AbiCommand, AbiResult, AgentEngine, AgentEngine_TO, AgentEngineBox, AgentServices, CommandIoBox,
        FfiFuture, FutureExt,
        abi_stable::{
            sabi_trait::TD_Opaque,
            std_types::{RErr, ROk, RString, RVec},
        },
    },
    error::decode,
    services::{
        host_calls::{self, Health},
        license::Proof,
    },
};

use super::{
    Commands,
    context::{CommandContext, HalfInfo},
};
use crate::{
    engine::Exported,
    entitlement, export,
    guard::{DropGuarded, Guarded, Panicked},
    instance::Instance,
};

struct AgentHalf {
    commands: DropGuarded<Commands>,
    info: Arc<HalfInfo>,
    build: Option<EngineBuild>,
    /// Why commands are refused, if they are.
    license: Mutex<Option<EngineError>>,
    instance: Arc<Instance>,
}

/// Build the agent half.
pub(crate) async fn create<E: Exported>(services: AgentServices) -> Result<AgentEngineBox, EngineError> {
    let manifest: Manifest = plugin_api::error::decode(&services.manifest)?;
    let instance = Instance::new(&manifest.id, E::RUNTIME, services.log);
    let commands = Guarded::new(instance.clone(), async { E::commands() })
        .await
        .map_err(|Panicked| EngineError::panicked("its constructor"))?;
    let info = HalfInfo {
        manifest,
        data_dir: PathBuf::from(services.data_dir.as_str()),
        runtime: instance.runtime().clone(),
    };
    let build = entitlement::build(&export::manifest::<E>()?, &info.manifest);
    let half = AgentHalf {
        commands: DropGuarded::new(instance.clone(), commands),
        license: Mutex::new(refusal(build.as_ref(), &services.license)),
        build,
        info: Arc::new(info),
        instance,
    };
    Ok(AgentEngine_TO::from_value(half, TD_Opaque))
}

/// Only a full licence lets commands run. The proof carries its own nonce: the agent has checked when it was made.
fn refusal(build: Option<&EngineBuild>, proof: &[u8]) -> Option<EngineError> {
    let build = build?;
    let checked = decode::<Proof>(proof).and_then(|proof| {
        let decision = entitlement::verify(&proof, &proof.nonce, build)?;
        if decision.may_write() {
            return Ok(());
        }
        let text = format!("This needs a licence for `{}` ({}).", build.engine, decision.code());
        Err(EngineError::new("license_required", text))
    });
    checked.err().map(|e| EngineError::new("license_required", e.message))
}

impl AgentHalf {
    fn licensed(&self) -> Option<EngineError> {
        self.license.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl AgentEngine for AgentHalf {
    fn command(&self, command: AbiCommand, io: CommandIoBox) -> FfiFuture<AbiResult<RVec<u8>>> {
        let what = format!("the command `{}`", command.name);
        let handler = self.commands.get().and_then(|commands| commands.get(&command.name)).cloned();
        let ctx = CommandContext::new(&command, io, self.info.clone());
        let refused = self.licensed();
        let guarded = Guarded::new(self.instance.clone(), async move {
            if let Some(refused) = refused {
                return Err(refused);
            }
            match handler {
                Some(handler) => handler(ctx, command.payload.to_vec()).await,
                None => Err(EngineError::unknown("command", &command.name)),
            }
        });
        answer(guarded, what)
    }

    fn call(&self, method: RString, payload: RVec<u8>) -> FfiFuture<AbiResult<RVec<u8>>> {
        if method == host_calls::LICENSE_CHANGED {
            let checked = refusal(self.build.as_ref(), &payload);
            *self.license.lock().unwrap_or_else(PoisonError::into_inner) = checked;
        }
        let what = format!("`{method}`");
        let guarded = Guarded::new(self.instance.clone(), async move {
            match method.as_str() {
                host_calls::HEALTH => {
                    plugin_api::error::encode(&Health { healthy: true, message: String::new() })
                }
                // The agent counts running commands itself; there is nothing else to finish.
                host_calls::SELF_TEST | host_calls::DRAIN | host_calls::LICENSE_CHANGED => Ok(Vec::new()),
                other => Err(EngineError::unknown("method", other)),
            }
        });
        answer(guarded, what)
    }
}

fn answer<F>(guarded: Guarded<F>, what: String) -> FfiFuture<AbiResult<RVec<u8>>>
where
    F: Future<Output = Result<Vec<u8>, EngineError>> + Send + 'static,
{
    async move {
        match guarded.await {
            Ok(Ok(answer)) => ROk(answer.into()),
            Ok(Err(e)) => RErr(e.into()),
            Err(Panicked) => RErr(EngineError::panicked(&what).into()),
        }
    }
    .into_ffi()
}
