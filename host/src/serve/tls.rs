//! TLS of the API: the internal CA's certificate, or the administrator's own.

use std::sync::Arc;

use anyhow::Context;
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use crate::{app::App, pki};

pub(super) fn api(app: &App) -> anyhow::Result<Arc<ServerConfig>> {
    let http = &app.config.http;
    if http.certificate_file.is_empty() {
        return Ok(pki::api_tls(&app.pki)?);
    }
    let chain = CertificateDer::pem_file_iter(&http.certificate_file)
        .and_then(|certificates| certificates.collect::<Result<Vec<_>, _>>())
        .with_context(|| {
            format!("http.certificate_file {} is not PEM certificates", http.certificate_file)
        })?;
    let key = PrivateKeyDer::from_pem_file(&http.key_file)
        .with_context(|| format!("http.key_file {} is not a PEM key", http.key_file))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("http.certificate_file and http.key_file do not fit together")?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
