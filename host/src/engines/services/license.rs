//! Service `license`.

use plugin_api::{
    EngineError,
    error::{decode, encode},
    services::license::ProofRequest,
};

use super::Host;

pub(super) fn call(host: &Host, method: &str, payload: &[u8]) -> Result<Vec<u8>, EngineError> {
    match method {
        "proof" => {
            let request: ProofRequest = decode(payload)?;
            if request.nonce.len() > 256 {
                return Err(EngineError::bad_payload("a nonce has at most 256 bytes"));
            }
            encode(&host.app()?.license.proof(&request.nonce))
        }
        other => Err(EngineError::unknown("license method", other)),
    }
}
