//! One agent's connection, from its hello to its end.

use std::{sync::Arc, time::Duration};

use agent_protocol::{
    Assembler, DecodeError, Frame, OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION,
    frame::Side,
    inventory::{INVENTORY_DELTA, InventoryAck, InventoryRequest},
    limits,
    metrics::SamplesAck,
    negotiate,
    session::{Goodbye, Hello, Policy, Pong, Welcome},
    wire,
};
use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use uuid::Uuid;

use super::Session;
use crate::{
    app::App,
    http::Peer,
    machines::{Report, StoreSectionError, Stored},
    operations::Signal,
    pki::KeyFingerprint,
};

/// How long one packet may take to leave.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a goodbye may take to leave.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// A connection whose client certificate belongs to an approved machine.
pub(super) struct Connection {
    pub app: Arc<App>,
    pub machine: Uuid,
    pub key: KeyFingerprint,
    pub peer: Peer,
}

type Sink = SplitSink<WebSocket, Message>;
type Stream = SplitStream<WebSocket>;

/// Why reading ended: what to tell the agent, or nothing when it is gone.
type End = Option<Goodbye>;

impl Connection {
    pub async fn run(self, socket: WebSocket) {
        let (mut sink, mut stream) = socket.split();
        let mut assembler = Assembler::default();
        let hello = Duration::from_millis(limits::HELLO_TIMEOUT_MS);
        let hello = match tokio::time::timeout(hello, self.read_hello(&mut stream, &mut assembler)).await {
            Ok(Ok(hello)) => hello,
            Ok(Err(end)) => return self.refuse(sink, end).await,
            Err(_) => return self.refuse(sink, Some(Goodbye::new("hello_missed", "No hello came."))).await,
        };
        let ours = (OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION);
        let Some(protocol) = negotiate(ours, hello.protocol) else {
            let message = format!("The host speaks protocol versions {} to {}.", ours.0, ours.1);
            return self.refuse(sink, Some(Goodbye::new("version_unsupported", message))).await;
        };
        let session = self.app.sessions.open(self.machine);
        if let Err(error) = self.begin(&session, protocol, hello).await {
            tracing::error!(%error, machine.id = %self.machine, "a session could not begin");
            session.close(Goodbye::new(
                "host_trouble",
                "The host could not begin the session; come back later.",
            ));
        }
        let reason = self.serve(&session, &mut sink, &mut stream, assembler).await;
        self.end(&session, &reason).await;
    }

    async fn read_hello(&self, stream: &mut Stream, assembler: &mut Assembler) -> Result<Hello, End> {
        loop {
            match next_frame(stream, assembler).await? {
                Some(Frame::Hello(hello)) => return Ok(hello),
                Some(frame) => return Err(unexpected(&frame)),
                None => {}
            }
        }
    }

    /// End a connection that never became a session.
    async fn refuse(&self, mut sink: Sink, end: End) {
        let Some(goodbye) = end else { return };
        tracing::warn!(
            machine.id = %self.machine, code = %goodbye.code, peer = ?self.peer.address, "an agent was sent away"
        );
        metrics::counter!("sysmanage_agent_sessions_ended_total", "code" => goodbye.code.clone())
            .increment(1);
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, say_goodbye(&mut sink, goodbye)).await;
    }

    /// Welcome, engines, inventory wanted, waiting commands.
    async fn begin(&self, session: &Session, protocol: u16, hello: Hello) -> anyhow::Result<()> {
        let app = &self.app;
        let agents = &app.config.agents;
        app.machines.said_hello(self.machine, &hello).await?;
        app.machines.came(self.machine);
        let policy = Policy {
            heartbeat_interval_ms: u32::try_from(agents.heartbeat_s.saturating_mul(1000)).unwrap_or(u32::MAX),
            ..Policy::default()
        };
        session.send(&Frame::Welcome(Welcome {
            protocol,
            session_id: session.id,
            machine_id: self.machine,
            server_time: app.clock.now().timestamp_millis(),
            host_version: env!("CARGO_PKG_VERSION").into(),
            policy,
            capabilities: vec![INVENTORY_DELTA.into()],
        }))?;
        if let Some(packages) = app.gateway.packages() {
            let assigned = packages.assigned(self.machine, &hello.facts.target).await;
            session.send(&Frame::EngineAssign(assigned))?;
        }
        let (names, bases) = app.machines.stale_sections(self.machine, &hello.sections).await?;
        if hello.capabilities.iter().any(|c| c == INVENTORY_DELTA) {
            session.takes_deltas();
        }
        if !names.is_empty() {
            session.send(&Frame::InventoryRequest(InventoryRequest { names, refresh: false, bases }))?;
        }
        tracing::info!(
            machine.id = %self.machine, session.id = %session.id, agent.version = %hello.agent_version,
            peer = ?self.peer.address, "agent connected"
        );
        let connected = Signal::Connected { machine: self.machine, session: session.id, notes: hello.tasks };
        app.operations.signal(connected).await;
        Ok(())
    }

    /// Read and write until one of them ends; the reason, for the log.
    async fn serve(
        &self,
        session: &Session,
        sink: &mut Sink,
        stream: &mut Stream,
        assembler: Assembler,
    ) -> String {
        let mut writing = std::pin::pin!(write(session, sink));
        tokio::select! {
            reason = &mut writing => reason,
            end = self.read(session, stream, assembler) => {
                let Some(goodbye) = end else { return "connection lost".into() };
                session.close(goodbye);
                tokio::time::timeout(CLOSE_TIMEOUT, writing).await.unwrap_or_else(|_| "connection stuck".into())
            }
        }
    }

    async fn read(&self, session: &Session, stream: &mut Stream, mut assembler: Assembler) -> End {
        let patience = Duration::from_secs(self.app.config.agents.offline_after_s);
        loop {
            let frame = match tokio::time::timeout(patience, next_frame(stream, &mut assembler)).await {
                Ok(Ok(frame)) => frame,
                Ok(Err(end)) => return end,
                Err(_) => return Some(Goodbye::new("heartbeat_missed", "No sign of life came in time.")),
            };
            let Some(frame) = frame else { continue };
            metrics::counter!("sysmanage_agent_frames_total", "kind" => frame.kind()).increment(1);
            if let Err(end) = self.take(session, frame).await {
                return end;
            }
        }
    }

    async fn take(&self, session: &Session, frame: Frame) -> Result<(), End> {
        if frame.side() == Side::Host {
            return Err(unexpected(&frame));
        }
        let machine = self.machine;
        let machines = &self.app.machines;
        let signal = match frame {
            Frame::Heartbeat(heartbeat) => {
                machines.beat(machine, heartbeat);
                return Ok(());
            }
            Frame::CommandAccepted(a) => Signal::Accepted { machine, task: a.task_id },
            Frame::Started(s) => Signal::Started { machine, task: s.task_id },
            Frame::Progress(progress) => Signal::Progress { machine, progress },
            Frame::Output(output) => Signal::Output { machine, output },
            Frame::Result(result) => Signal::Result { machine, result },
            other => return self.take_rare(session, other).await,
        };
        if self.app.operations.signal(signal).await {
            return Ok(());
        }
        Err(Some(Goodbye::new("host_stopping", "The host is stopping.")))
    }

    async fn take_rare(&self, session: &Session, frame: Frame) -> Result<(), End> {
        let machines = &self.app.machines;
        let answered = match frame {
            Frame::Ping(ping) => session.send(&Frame::Pong(Pong { nonce: ping.nonce })),
            Frame::CertificateRequest(request) => {
                let answer = machines.renew(self.machine, &self.key, &request.csr_der);
                session.send(&Frame::CertificateAnswer(answer))
            }
            Frame::Pong(_) => Ok(()),
            Frame::Samples(samples) => {
                if let Err(error) = self.app.metrics.take(self.machine, &samples).await {
                    tracing::error!(%error, machine.id = %self.machine, "metrics could not be stored");
                    let message = "The host could not store what you sent; send it again later.";
                    return Err(Some(Goodbye::new("host_trouble", message)));
                }
                let last = samples.offsets_s.last().copied().unwrap_or(0);
                session
                    .send(&SamplesAck { until: samples.first.saturating_add(i64::from(last) * 1000) }.into())
            }
            Frame::EngineStatus(status) => {
                return machines.engine_status(self.machine, status).await.map_err(|e| trouble(&e));
            }
            Frame::InventorySection(section) => {
                let name = section.name.clone();
                return self.take_inventory(session, name, Report::Whole(section)).await;
            }
            Frame::InventoryDelta(delta) => {
                let name = delta.name.clone();
                return self.take_inventory(session, name, Report::Delta(delta)).await;
            }
            Frame::Goodbye(goodbye) => {
                tracing::debug!(machine.id = %self.machine, code = %goodbye.code, "the agent says goodbye");
                return Err(None);
            }
            other => return Err(unexpected(&other)),
        };
        // A full lane has closed the session already; reading goes on until the writer has said so.
        let _ = answered;
        Ok(())
    }

    /// Store what the agent says of a section; acknowledge it, or ask for all of it.
    async fn take_inventory(&self, session: &Session, name: String, report: Report) -> Result<(), End> {
        let answer = match self.app.machines.store_report(self.machine, report).await {
            Ok(Stored::Stored(digest)) if session.has_deltas() => {
                Frame::InventoryAck(InventoryAck { name, digest })
            }
            Ok(Stored::Stored(_)) => return Ok(()),
            Ok(Stored::Resync) => {
                metrics::counter!("sysmanage_inventory_resyncs_total").increment(1);
                Frame::InventoryRequest(InventoryRequest {
                    names: vec![name],
                    refresh: false,
                    bases: Vec::new(),
                })
            }
            Err(StoreSectionError::Database(error)) => return Err(trouble(&error)),
            Err(StoreSectionError::Stopping) => {
                return Err(Some(Goodbye::new("host_stopping", "The host is stopping.")));
            }
            Err(error) => return Err(Some(Goodbye::new("bad_inventory", error.to_string()))),
        };
        // A full lane has closed the session already; reading goes on until the writer has said so.
        let _ = session.send(&answer);
        Ok(())
    }

    async fn end(&self, session: &Session, reason: &str) {
        let current = self.app.sessions.remove(session);
        tracing::info!(machine.id = %self.machine, session.id = %session.id, reason, "agent disconnected");
        metrics::counter!("sysmanage_agent_sessions_ended_total", "code" => reason.to_owned()).increment(1);
        if current {
            self.app.machines.went(self.machine, reason);
        }
        let signal = Signal::Disconnected { machine: self.machine, session: session.id };
        self.app.operations.signal(signal).await;
    }
}

/// The next frame; `None` when a packet did not complete one, or is of a later version.
async fn next_frame(stream: &mut Stream, assembler: &mut Assembler) -> Result<Option<Frame>, End> {
    let bytes = match stream.next().await {
        Some(Ok(Message::Binary(bytes))) => bytes,
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Ok(None),
        Some(Ok(Message::Text(_))) => {
            return Err(malformed("malformed_packet", "Text is not spoken here.".into()));
        }
        Some(Ok(Message::Close(_))) | None => return Err(None),
        Some(Err(error)) => {
            tracing::debug!(%error, "an agent's connection broke");
            return Err(None);
        }
    };
    match assembler.push(&bytes) {
        Ok(frame) => Ok(frame),
        Err(DecodeError::UnknownFrame(kind)) => {
            tracing::debug!(kind, "a frame of a later version was skipped");
            Ok(None)
        }
        Err(error) => Err(malformed(error.code(), error.to_string())),
    }
}

fn malformed(code: &'static str, message: String) -> End {
    metrics::counter!("sysmanage_agent_frames_refused_total", "code" => code).increment(1);
    let cut: String = message.chars().take(500).collect();
    Some(Goodbye::new(code, cut))
}

fn unexpected(frame: &Frame) -> End {
    malformed("unexpected_frame", format!("`{}` does not belong here.", frame.kind()))
}

fn trouble(error: &sea_orm::DbErr) -> End {
    tracing::error!(%error, "what an agent sent could not be stored");
    Some(Goodbye::new("host_trouble", "The host could not store what you sent; send it again later."))
}

/// Send what waits, most urgent first, until the session closes; the reason.
async fn write(session: &Session, sink: &mut Sink) -> String {
    loop {
        if let Some(goodbye) = session.take_goodbye() {
            let code = goodbye.code.clone();
            let _ = tokio::time::timeout(CLOSE_TIMEOUT, say_goodbye(sink, goodbye)).await;
            return code;
        }
        let Some(packet) = session.next_packet() else {
            session.something_waits().await;
            continue;
        };
        match tokio::time::timeout(SEND_TIMEOUT, sink.send(Message::Binary(packet.into()))).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return "connection lost".into(),
            Err(_) => return "slow_consumer".into(),
        }
    }
}

async fn say_goodbye(sink: &mut Sink, goodbye: Goodbye) {
    let close = CloseFrame { code: close_code::NORMAL, reason: goodbye.code.as_str().into() };
    for packet in wire::encode(&Frame::Goodbye(goodbye)).unwrap_or_default() {
        if sink.send(Message::Binary(packet.into())).await.is_err() {
            return;
        }
    }
    let _ = sink.send(Message::Close(Some(close))).await;
    let _ = sink.close().await;
}
