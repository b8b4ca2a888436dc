//! Who is at the other end of a connection; the listener puts it into each request's extensions.

use std::net::SocketAddr;

use rustls_pki_types::CertificateDer;

/// The other end of a connection.
#[derive(Debug, Clone, Default)]
pub struct Peer {
    /// Its address, for TCP.
    pub address: Option<SocketAddr>,
    /// The certificate it proved to have, for mutual TLS.
    pub certificate: Option<CertificateDer<'static>>,
    /// Its user id, for the admin socket.
    pub uid: Option<u32>,
}
