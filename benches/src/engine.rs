//! The example engine, verified and started in this program, with just what it needs of a host.

use std::sync::Arc;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use license_issuer::development;
use licenses::InstanceKey;
use plugin_api::{
    EngineError,
    services::license::{Proof, ProofRequest},
};
use plugin_runtime::{
    EngineInstance, HostService, HostServices, InProcessOptions, IsolatedOptions, LogRecord, LogSink,
    Package, Policy, Side, SqlService, Verified, start_in_process, start_isolated,
};
use semver::Version;
use trust::TrustStore;

/// Id of the measured engine.
pub const ID: &str = "example";

/// The packed example engine, verified as a host does.
pub fn package() -> Result<Verified<Package>> {
    let path = e2e::bins::package(ID)?;
    verify(std::fs::File::open(&path).with_context(|| path.display().to_string())?)
}

/// Verify a package as a host of this version does.
pub fn verify(file: impl std::io::Read) -> Result<Verified<Package>> {
    let trust = TrustStore::built_in();
    let version: Version = env!("CARGO_PKG_VERSION").parse()?;
    let policy = Policy::new(&trust, Utc::now(), Side::Host(version));
    Package::verify(file, &policy).map_err(|refusal| anyhow::anyhow!("the package is refused: {refusal}"))
}

/// Start it in this process.
pub async fn in_process(
    package: &Verified<Package>,
    services: HostServices,
) -> Result<Arc<dyn EngineInstance>> {
    Ok(start_in_process(package, services, InProcessOptions::default()).await?)
}

/// Start it in a child, which is this program once more.
pub async fn isolated(
    package: &Verified<Package>,
    services: HostServices,
) -> Result<Arc<dyn EngineInstance>> {
    Ok(start_isolated(package, services, IsolatedOptions::default()).await?)
}

/// No logs, a licence, and SQL when given.
pub fn services(sql: Option<Arc<dyn SqlService>>) -> Result<HostServices> {
    let license: Arc<dyn HostService> = Arc::new(License::new()?);
    Ok(HostServices { log: Arc::new(Quiet), sql, services: vec![("license".into(), license)] })
}

struct Quiet;

impl LogSink for Quiet {
    fn enabled(&self, _level: u8, _target: &str) -> bool {
        false
    }
    fn log(&self, _record: LogRecord) {}
}

/// Proves a development licence for the example.
struct License {
    key: InstanceKey,
    tokens: Vec<String>,
}

impl License {
    fn new() -> Result<Self> {
        let der = InstanceKey::generate().ok().context("the system gives no random bytes")?;
        let key = InstanceKey::from_pkcs8(&der).map_err(|e| anyhow::anyhow!("{e}"))?;
        Ok(Self { key, tokens: vec![development::license(&[ID], Utc::now())] })
    }

    fn prove(&self, payload: &[u8]) -> Result<Vec<u8>, EngineError> {
        let request: ProofRequest = plugin_api::error::decode(payload)?;
        let now = Utc::now();
        let now = DateTime::from_timestamp_millis(now.timestamp_millis()).unwrap_or(now);
        plugin_api::error::encode(&Proof {
            tokens: self.tokens.clone(),
            revocations: None,
            instance_public_key: self.key.public_key().to_string(),
            signature: self.key.prove(&self.tokens, None, &request.nonce, now),
            nonce: request.nonce,
            now_unix_ms: now.timestamp_millis(),
        })
    }
}

impl HostService for License {
    fn call(&self, _method: String, payload: Vec<u8>) -> BoxFuture<'_, Result<Vec<u8>, EngineError>> {
        Box::pin(async move { self.prove(&payload) })
    }
}
