//! An agent half for tests: says much, waits, or does not listen, as it is told.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use abi_stable::erased_types::TD_Opaque;
use abi_stable::prefix_type::PrefixTypeTrait;
use abi_stable::std_types::{RResult, RString, RVec};
use plugin_api::EngineError;
use plugin_api::abi::*;
use plugin_api::description::Description;

#[abi_stable::export_root_module]
fn root() -> EngineModuleRef {
    EngineModule { describe, create_server, create_agent }.leak_into_prefix()
}

extern "C" fn describe() -> RVec<u8> {
    let description = Description {
        id: "half".into(),
        version: "1.0.0".into(),
        api_version: plugin_api::API_VERSION.into(),
        openapi: serde_json::json!({ "paths": {} }),
        commands: ["say", "wait", "stubborn", "fail", "licenses"].map(str::to_owned).into(),
        jobs: Vec::new(),
    };
    serde_json::to_vec(&description).unwrap_or_default().into()
}

extern "C" fn create_server(_services: ServerServices) -> FfiFuture<AbiResult<ServerEngineBox>> {
    async { RResult::RErr(EngineError::new("no_server", "It has no server half.").into()) }.into_ffi()
}

extern "C" fn create_agent(services: AgentServices) -> FfiFuture<AbiResult<AgentEngineBox>> {
    let record =
        LogRecord { level: 3, target: "half".into(), message: "the half starts".into(), fields: RVec::new() };
    services.log.log(record);
    async { RResult::ROk(AgentEngine_TO::from_value(Half, TD_Opaque)) }.into_ffi()
}

/// How often it was given a new licence.
static LICENSES: AtomicU32 = AtomicU32::new(0);

struct Half;

impl AgentEngine for Half {
    fn command(&self, command: AbiCommand, io: CommandIoBox) -> FfiFuture<AbiResult<RVec<u8>>> {
        async move {
            match run(&command, &io).await {
                Ok(answer) => RResult::ROk(answer.into()),
                Err(error) => RResult::RErr(error.into()),
            }
        }
        .into_ffi()
    }

    fn call(&self, method: RString, payload: RVec<u8>) -> FfiFuture<AbiResult<RVec<u8>>> {
        if method == "license_changed" && !payload.is_empty() {
            LICENSES.fetch_add(1, Ordering::SeqCst);
            return async { RResult::ROk(RVec::new()) }.into_ffi();
        }
        async move { RResult::RErr(EngineError::unknown("method", &method).into()) }.into_ffi()
    }
}

async fn run(command: &AbiCommand, io: &CommandIoBox) -> Result<Vec<u8>, EngineError> {
    match command.name.as_str() {
        "say" => {
            let times: u64 = plugin_api::error::decode(&command.payload)?;
            for n in 0..times {
                let stream = if n % 10 == 9 { OutputStream::Stderr } else { OutputStream::Stdout };
                if !io.output(stream, format!("line {n} {}\n", "x".repeat(90)).into_bytes().into()).await {
                    return Err(EngineError::new("nobody_listens", "Nobody reads the output."));
                }
            }
            io.progress(times, times, "said".into());
            plugin_api::error::encode(&times)
        }
        "wait" => {
            io.output(OutputStream::Stdout, b"waiting".to_vec().into()).await;
            io.cancelled().await;
            Err(EngineError::new("told_to_stop", "It was told to stop."))
        }
        "stubborn" => loop {
            std::thread::sleep(Duration::from_secs(1));
        },
        "licenses" => plugin_api::error::encode(&LICENSES.load(Ordering::SeqCst)),
        "fail" => Err(EngineError::new("no_luck", "It was asked to fail.")),
        other => Err(EngineError::unknown("command", other)),
    }
}
