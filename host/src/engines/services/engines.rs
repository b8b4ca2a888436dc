//! Service `engines`: calls of other engines that the manifest depends on.

use std::time::Duration;

use plugin_api::{
    EngineError,
    error::{decode, encode},
    services::{engines::EngineCall, host_calls},
};

use super::Host;

const DEADLINE: Duration = Duration::from_secs(30);

pub(super) async fn call(host: &Host, method: &str, payload: &[u8]) -> Result<Vec<u8>, EngineError> {
    if method != "call" {
        return Err(EngineError::unknown("engines method", method));
    }
    let mut call: EngineCall = decode(payload)?;
    let Some(wanted) = host.manifest.depends_on.iter().find(|d| d.id == call.engine) else {
        let why = format!("The manifest does not depend on `{}`.", call.engine);
        return Err(EngineError::new("not_a_dependency", why));
    };
    call.from = host.id().to_owned();
    let unavailable = || EngineError::new("engine_unavailable", format!("`{}` is not running.", wanted.id));
    let engines = &host.app()?.engines;
    let callee = engines.serving(&wanted.id).ok_or_else(unavailable)?;
    if !trust::version_matches(&wanted.version, &callee.manifest().version) {
        let why = format!("`{}` {} does not fit {}.", wanted.id, callee.manifest().version, wanted.version);
        return Err(EngineError::new("engine_incompatible", why));
    }
    callee.instance.call(host_calls::ENGINE_CALL, encode(&call)?, DEADLINE).await
}
