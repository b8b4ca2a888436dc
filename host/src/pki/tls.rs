//! TLS of the two listeners.

use std::sync::Arc;

use rustls::{
    RootCertStore, ServerConfig,
    server::{ResolvesServerCert, WebPkiClientVerifier},
};

use super::{Pki, PkiError};

/// Make ring the process's provider; later calls do nothing.
pub fn install_crypto() {
    // An error only says that it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn identity(pki: &Pki) -> Arc<dyn ResolvesServerCert> {
    Arc::new(pki.server.clone())
}

fn builder() -> Result<rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier>, PkiError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?)
}

/// TLS of the API: server certificate only, HTTP/2 or HTTP/1.1.
pub fn api_tls(pki: &Pki) -> Result<Arc<ServerConfig>, PkiError> {
    let mut config = builder()?.with_no_client_auth().with_cert_resolver(identity(pki));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// TLS of the agent gateway: a client certificate of our authority, or none. One of another authority, or past its
/// end, fails the handshake.
pub fn gateway_tls(pki: &Pki) -> Result<Arc<ServerConfig>, PkiError> {
    let mut roots = RootCertStore::empty();
    roots.add(pki.authority.certificate().clone())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .allow_unauthenticated()
        .build()
        .map_err(|e| PkiError::Damaged {
            path: "the authority's certificate".into(),
            reason: e.to_string(),
        })?;
    let mut config = builder()?.with_client_cert_verifier(verifier).with_cert_resolver(identity(pki));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Thousands of agents may reconnect at once: tickets save most of the handshakes, and take no memory here.
    config.ticketer = rustls::crypto::ring::Ticketer::new()?;
    Ok(Arc::new(config))
}
