//! A connection to the gateway: frames in, frames out, or raw bytes for those who test what happens then.

use std::time::Duration;

use agent_protocol::{Assembler, DecodeError, Frame, Outbox, SUBPROTOCOL, enroll::CONNECT_PATH};
use anyhow::{Context, bail};
use futures_util::{SinkExt, StreamExt};
use http::header;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest, protocol::WebSocketConfig},
};

use crate::{Identity, Server};

/// A connection.
pub struct Link {
    socket: WebSocketStream<TlsStream<TcpStream>>,
    assembler: Assembler,
    outbox: Outbox,
    /// Bytes received in packets.
    pub received_bytes: u64,
    /// Bytes sent in packets.
    pub sent_bytes: u64,
}

impl Link {
    /// Connect; the identity's certificate is presented when `identity` is given.
    pub async fn open(server: &Server, identity: Option<&Identity>) -> anyhow::Result<Self> {
        let stream = server.open(server.tls(identity)?).await?;
        let mut request = format!("wss://{}{CONNECT_PATH}", server.name).into_client_request()?;
        request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL.parse()?);
        let config = WebSocketConfig::default().read_buffer_size(4096).write_buffer_size(0);
        let (socket, _) = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await?;
        Ok(Self {
            socket,
            assembler: Assembler::default(),
            outbox: Outbox::default(),
            received_bytes: 0,
            sent_bytes: 0,
        })
    }

    /// Say a frame.
    pub async fn say(&mut self, frame: impl Into<Frame>) -> anyhow::Result<()> {
        self.outbox.push(&frame.into())?;
        while let Some(packet) = self.outbox.pop() {
            self.sent_bytes += packet.len() as u64;
            self.socket.send(Message::Binary(packet.into())).await?;
        }
        Ok(())
    }

    /// Send bytes that may be no frame.
    pub async fn say_bytes(&mut self, bytes: Vec<u8>) -> anyhow::Result<()> {
        Ok(self.socket.send(Message::Binary(bytes.into())).await?)
    }

    /// Send text, which is no frame.
    pub async fn say_text(&mut self, text: &str) -> anyhow::Result<()> {
        Ok(self.socket.send(Message::Text(text.to_owned().into())).await?)
    }

    /// The next frame; `None` when the host has closed the connection. May be dropped while it waits.
    pub async fn hear(&mut self) -> anyhow::Result<Option<Frame>> {
        loop {
            let bytes = match self.socket.next().await {
                Some(Ok(Message::Binary(bytes))) => bytes,
                Some(Ok(Message::Close(_))) | None => return Ok(None),
                Some(Ok(_)) => continue,
                Some(Err(error)) => return Err(error.into()),
            };
            self.received_bytes += bytes.len() as u64;
            match self.assembler.push(&bytes) {
                Ok(Some(frame)) => return Ok(Some(frame)),
                Ok(None) | Err(DecodeError::UnknownFrame(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The next frame that `wanted` takes, within ten seconds; others are skipped.
    pub async fn hear_until<T>(&mut self, mut wanted: impl FnMut(Frame) -> Option<T>) -> anyhow::Result<T> {
        let search = async {
            loop {
                let frame = self.hear().await?;
                let Some(frame) = frame else { bail!("the host closed the connection") };
                if let Some(found) = wanted(frame) {
                    return Ok(found);
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), search).await.context("the frame did not come")?
    }

    /// Close without a word, as a crash does.
    pub fn drop_dead(self) {
        drop(self);
    }
}
