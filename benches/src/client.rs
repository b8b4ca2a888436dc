//! Keep-alive HTTPS connections that ask the same thing over and over.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio::{net::TcpStream, task::JoinSet};
use tokio_rustls::TlsConnector;

/// Connections to one host.
pub struct Connections {
    open: Vec<SendRequest<Empty<Bytes>>>,
    token: String,
}

impl Connections {
    /// Open `count` connections to `localhost:port`.
    pub async fn open(count: usize, port: u16, authority_pem: &str, token: &str) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority_pem.as_bytes())?)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = TlsConnector::from(Arc::new(config));
        let mut open = Vec::with_capacity(count);
        for _ in 0..count {
            let stream = TcpStream::connect(("127.0.0.1", port)).await?;
            stream.set_nodelay(true)?;
            let stream = connector.connect(ServerName::try_from("localhost")?, stream).await?;
            let (sender, connection) = handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            open.push(sender);
        }
        Ok(Self { open, token: token.to_owned() })
    }

    /// Ask for `path` on every connection until the time is over; the number of answers, all of which must be 200.
    pub async fn hammer(&mut self, path: &'static str, time: Duration) -> Result<u64> {
        let end = Instant::now() + time;
        let mut running = JoinSet::new();
        for mut sender in self.open.drain(..) {
            let authorization = format!("Bearer {}", self.token);
            running.spawn(async move {
                let mut answers = 0;
                while Instant::now() < end {
                    ask(&mut sender, path, &authorization).await?;
                    answers += 1;
                }
                anyhow::Ok((sender, answers))
            });
        }
        let mut sum = 0;
        while let Some(done) = running.join_next().await {
            let (sender, answers) = done.context("a connection's task ended")??;
            self.open.push(sender);
            sum += answers;
        }
        Ok(sum)
    }
}

async fn ask(sender: &mut SendRequest<Empty<Bytes>>, path: &str, authorization: &str) -> Result<()> {
    sender.ready().await?;
    let request = Request::get(path)
        .header(header::HOST, "localhost")
        .header(header::AUTHORIZATION, authorization)
        .body(Empty::new())?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    ensure!(status == StatusCode::OK, "{path} answered {status}: {}", String::from_utf8_lossy(&body));
    Ok(())
}
