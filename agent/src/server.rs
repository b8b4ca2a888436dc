//! The host's address, and TLS connections to it.

use std::{io, sync::Arc, time::Duration};

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{
        CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
    },
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::identity::{Certificate, Identity};

/// The gateway's port when the address names none.
const DEFAULT_PORT: u16 = 8444;

/// Why the host could not be reached.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address is not usable.
    #[error("`{0}` is not an address of the form https://host[:port]")]
    Address(String),
    /// No connection.
    #[error("cannot connect to {0}: {1}")]
    Connect(String, #[source] io::Error),
    /// It took too long.
    #[error("no answer from {0} in time")]
    Timeout(String),
    /// The server is not the one that was pinned.
    #[error("the server's authority has the fingerprint {found}, not {pinned}: this is another server")]
    OtherAuthority {
        /// What the server showed.
        found: String,
        /// What was asked for.
        pinned: String,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// Where the host's gateway is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Server {
    host: String,
    port: u16,
}

impl TryFrom<String> for Server {
    type Error = ServerError;
    fn try_from(text: String) -> Result<Self, ServerError> {
        Self::parse(&text)
    }
}

impl From<Server> for String {
    fn from(server: Server) -> Self {
        server.url("")
    }
}

impl Server {
    /// Parse `https://host[:port]`; without a scheme `https://` is meant.
    pub fn parse(text: &str) -> Result<Self, ServerError> {
        let wrong = || ServerError::Address(text.to_owned());
        let full = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let uri: http::Uri = full.parse().map_err(|_| wrong())?;
        let https = matches!(uri.scheme_str(), Some("https" | "wss"));
        if !https || !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(wrong());
        }
        let host = uri.host().ok_or_else(wrong)?.trim_matches(['[', ']']).to_owned();
        let server = Self { host, port: uri.port_u16().unwrap_or(DEFAULT_PORT) };
        server.name().map(|_| server)
    }

    /// `host:port`, for the Host header and messages.
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// `https://host:port/path`.
    pub fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.authority())
    }

    fn name(&self) -> Result<ServerName<'static>, ServerError> {
        ServerName::try_from(self.host.clone()).map_err(|_| ServerError::Address(self.host.clone()))
    }

    /// Connect within `timeout`.
    pub async fn connect(
        &self,
        config: Arc<ClientConfig>,
        timeout: Duration,
    ) -> Result<TlsStream<TcpStream>, ServerError> {
        let failed = |e| ServerError::Connect(self.authority(), e);
        let connecting = async {
            let tcp = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(failed)?;
            tcp.set_nodelay(true).map_err(failed)?;
            notice_lost_peers(&tcp).map_err(failed)?;
            TlsConnector::from(config).connect(self.name()?, tcp).await.map_err(failed)
        };
        tokio::time::timeout(timeout, connecting).await.map_err(|_| ServerError::Timeout(self.authority()))?
    }
}

/// Let the kernel notice a host that vanished: what is sent must be acknowledged within half a minute.
#[cfg(target_os = "linux")]
fn notice_lost_peers(tcp: &TcpStream) -> io::Result<()> {
    use rustix::net::sockopt;
    sockopt::set_socket_keepalive(tcp, true)?;
    sockopt::set_tcp_keepidle(tcp, Duration::from_secs(120))?;
    sockopt::set_tcp_keepintvl(tcp, Duration::from_secs(10))?;
    sockopt::set_tcp_keepcnt(tcp, 3)?;
    sockopt::set_tcp_user_timeout(tcp, 30_000)?;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn notice_lost_peers(_tcp: &TcpStream) -> io::Result<()> {
    Ok(())
}

/// TLS with the machine's certificate, trusting only the pinned authority.
pub fn mutual_tls(
    identity: &Identity,
    certificate: &Certificate,
    authority: &CertificateDer<'static>,
) -> Result<Arc<ClientConfig>, ServerError> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone())?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_client_auth_cert(certificate.chain.clone(), identity.tls_key())?;
    Ok(Arc::new(config))
}

/// TLS without a certificate of our own, for enrolment. The pin remembers what the server showed.
pub fn enrolment_tls(pin: &Arc<Pin>) -> Result<Arc<ClientConfig>, ServerError> {
    let config = ClientConfig::builder_with_provider(Arc::clone(&pin.provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(pin) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Trusts the authority at the end of the chain a server shows if its fingerprint is the pinned one, or, without a
/// pin, the first one seen; then verifies the chain against it in the usual way, names and dates included.
#[derive(Debug)]
pub struct Pin {
    expected: Option<[u8; 32]>,
    seen: std::sync::Mutex<Option<CertificateDer<'static>>>,
    provider: Arc<CryptoProvider>,
}

impl Pin {
    /// Pin a fingerprint, or trust on first use.
    pub fn new(expected: Option<[u8; 32]>) -> Arc<Self> {
        let provider = Arc::new(ring::default_provider());
        Arc::new(Self { expected, seen: std::sync::Mutex::new(None), provider })
    }

    /// The authority the last server showed.
    pub fn seen(&self) -> Option<CertificateDer<'static>> {
        self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// What was wrong with the authority that was shown, in place of a TLS alert's name.
    pub fn mismatch(&self) -> Option<ServerError> {
        let found = crate::inventory::digest(&self.seen()?);
        let pinned = self.expected.filter(|expected| *expected != found)?;
        let hex = |bytes: [u8; 32]| data_encoding::HEXLOWER.encode(&bytes);
        Some(ServerError::OtherAuthority { found: hex(found), pinned: hex(pinned) })
    }

    fn algorithms(&self) -> &WebPkiSupportedAlgorithms {
        &self.provider.signature_verification_algorithms
    }
}

impl ServerCertVerifier for Pin {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let authority = chain.last().unwrap_or(leaf).clone().into_owned();
        let fingerprint = crate::inventory::digest(&authority);
        let mut seen = self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Trust on first use means that the second must be the same.
        let expected = self.expected.or_else(|| seen.as_ref().map(|first| crate::inventory::digest(first)));
        if seen.is_none() {
            *seen = Some(authority.clone());
        }
        if expected.is_some_and(|expected| expected != fingerprint) {
            return Err(rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer));
        }
        let mut roots = RootCertStore::empty();
        roots.add(authority)?;
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider))
            .build()
            .map_err(|e| rustls::Error::General(e.to_string()))?
            .verify_server_cert(leaf, chain, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, self.algorithms())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, self.algorithms())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms().supported_schemes()
    }
}

/// Parse a fingerprint of 64 hexadecimal digits, colons and spaces allowed.
pub fn parse_fingerprint(text: &str) -> Option<[u8; 32]> {
    let digits: String = text.chars().filter(|c| *c != ':' && !c.is_whitespace()).collect();
    let digits = digits.to_ascii_lowercase();
    let digits = digits.strip_prefix("sha256").unwrap_or(&digits);
    data_encoding::HEXLOWER.decode(digits.as_bytes()).ok()?.try_into().ok()
}
