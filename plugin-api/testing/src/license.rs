//! Licences for tests, signed with the development keys.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Duration, Utc};
use license_issuer::development;
use licenses::InstanceKey;
use plugin_api::{EngineError, services::license::Proof};

/// What the test host's licence grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TestLicense {
    /// Names the engine, valid.
    Full,
    /// Names the engine, lapsed beyond grace.
    Lapsed,
    /// None installed.
    None,
    /// Names another engine.
    OtherEngine,
}

/// A host instance with its key and licence.
#[derive(Clone)]
pub(crate) struct Licensor {
    key: Arc<InstanceKey>,
    tokens: Arc<Mutex<Vec<String>>>,
    entitlement: String,
}

impl Licensor {
    pub(crate) fn new(entitlement: Option<&str>, license: TestLicense) -> Self {
        let der = InstanceKey::generate().expect("the system gives random bytes");
        let key = InstanceKey::from_pkcs8(&der).expect("a generated key is a key");
        let licensor = Self {
            key: Arc::new(key),
            tokens: Arc::default(),
            entitlement: entitlement.unwrap_or("unneeded").to_owned(),
        };
        licensor.set(license);
        licensor
    }

    pub(crate) fn set(&self, license: TestLicense) {
        let engine = [self.entitlement.as_str()];
        let now = Utc::now();
        let tokens = match license {
            TestLicense::Full => vec![development::license(&engine, now)],
            TestLicense::None => vec![],
            TestLicense::OtherEngine => vec![development::license(&["another_engine"], now)],
            TestLicense::Lapsed => vec![lapsed(&engine, now)],
        };
        *self.tokens.lock().unwrap_or_else(PoisonError::into_inner) = tokens;
    }

    pub(crate) fn prove(&self, nonce: &str) -> Result<Proof, EngineError> {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // A proof holds whole milliseconds.
        let now = Utc::now();
        let now = DateTime::from_timestamp_millis(now.timestamp_millis()).unwrap_or(now);
        let signature = self.key.prove(&tokens, None, nonce, now);
        Ok(Proof {
            tokens,
            revocations: None,
            instance_public_key: self.key.public_key().to_string(),
            nonce: nonce.to_owned(),
            signature,
            now_unix_ms: now.timestamp_millis(),
        })
    }
}

fn lapsed(engines: &[&str], now: DateTime<Utc>) -> String {
    let mut claims = development::claims(engines, now - Duration::days(60));
    claims.exp = Some(claims.iat + Duration::days(1));
    development::license_signer().issue_license(&claims).expect("a key in memory can sign")
}
