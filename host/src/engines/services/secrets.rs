//! Service `secrets`.

use plugin_api::{
    EngineError,
    error::{decode, encode},
    services::secrets::{SecretRequest, SecretValue},
};

use super::{Host, from_slice};

pub(super) async fn call(host: &Host, method: &str, payload: &[u8]) -> Result<Vec<u8>, EngineError> {
    if method != "resolve" {
        return Err(EngineError::unknown("secrets method", method));
    }
    let request: SecretRequest = decode(payload)?;
    let (ctx, _) = host.entry.contexts.resolve(host.id(), &request.context);
    let reader = format!("engine:{}", host.id());
    let value = host.app()?.secrets.resolve(&ctx, &reader, &request.name).await.map_err(from_slice)?;
    encode(&SecretValue { value: value.to_string() })
}
