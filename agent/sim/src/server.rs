//! The gateway as agents find it: an address, a name, and whom to trust.

use std::sync::Arc;

use anyhow::{Context, bail};
use ring::digest::{SHA256, digest};
use rustls::{
    ClientConfig, DigitallySignedStruct, DistinguishedName, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::CryptoProvider,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::Identity;

/// Whom to trust.
#[derive(Debug, Clone)]
pub enum Trust {
    /// An authority's certificate, PEM.
    Pem(String),
    /// The authority whose certificate (DER) has this SHA-256, hexadecimal; the server sends it along.
    Fingerprint(String),
}

/// A gateway.
#[derive(Debug, Clone)]
pub struct Server {
    /// `host:port` to connect to.
    pub address: String,
    /// The name its certificate must be good for.
    pub name: String,
    /// Whom to trust.
    pub trust: Trust,
}

impl Server {
    /// From a URL like `https://host:8444`.
    pub fn from_url(url: &str, trust: Trust) -> anyhow::Result<Self> {
        let uri: http::Uri = url.parse().context("the URL does not parse")?;
        let name = uri.host().context("the URL has no host")?.trim_matches(['[', ']']).to_owned();
        let port = uri.port_u16().unwrap_or(8444);
        Ok(Self { address: format!("{}:{port}", uri.host().unwrap_or(&name)), name, trust })
    }

    /// TLS without a client certificate, or with the one of an approved identity.
    pub fn tls(&self, identity: Option<&Identity>) -> anyhow::Result<Arc<ClientConfig>> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder =
            ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
        let builder = match &self.trust {
            Trust::Pem(pem) => {
                let mut roots = RootCertStore::empty();
                roots.add(CertificateDer::from_pem_slice(pem.as_bytes())?)?;
                builder.with_root_certificates(roots)
            }
            Trust::Fingerprint(fingerprint) => {
                let fingerprint = fingerprint.trim_start_matches("sha256:").to_lowercase();
                let verifier = Arc::new(Pinned { fingerprint, provider });
                builder.dangerous().with_custom_certificate_verifier(verifier)
            }
        };
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let Some(chain) = &identity.chain_pem else { bail!("the identity has no certificate") };
                let chain: Vec<_> =
                    CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<_, _>>()?;
                let key = PrivateKeyDer::from_pem_slice(identity.key_pem().as_bytes())?;
                builder.with_client_auth_cert(chain, key)?
            }
        };
        // Each pretend agent has a configuration of its own; tickets for all of them would be most of its memory.
        config.resumption = rustls::client::Resumption::disabled();
        Ok(Arc::new(config))
    }

    /// Open a TLS connection.
    pub async fn open(&self, tls: Arc<ClientConfig>) -> anyhow::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from(self.name.clone())?;
        Ok(TlsConnector::from(tls).connect(name, stream).await?)
    }
}

/// Trusts the chain whose authority has the pinned fingerprint, and checks the rest as usual.
#[derive(Debug)]
struct Pinned {
    fingerprint: String,
    provider: Arc<CryptoProvider>,
}

impl Pinned {
    fn verifier(&self, chain: &[CertificateDer<'_>]) -> Result<Arc<WebPkiServerVerifier>, rustls::Error> {
        let hex = |der: &[u8]| -> String {
            digest(&SHA256, der).as_ref().iter().map(|b| format!("{b:02x}")).collect()
        };
        let authority = chain.iter().find(|c| hex(c) == self.fingerprint);
        let authority =
            authority.ok_or(rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer))?;
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone().into_owned())?;
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), self.provider.clone())
            .build()
            .map_err(|e| rustls::Error::General(e.to_string()))
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.verifier(chain)?.verify_server_cert(leaf, chain, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, leaf, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, leaf, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        None
    }
}
