//! One session: hello and welcome, then reading, writing, sending what waits, and heartbeats, until one ends.

use std::time::Duration;

use agent_protocol::{
    Assembler, DecodeError, Frame, OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION,
    inventory::INVENTORY_DELTA,
    metrics::{Heartbeat, Watch},
    session::{CertificateAnswer, CertificateRequest, Goodbye, Hello, Policy, Pong, Welcome},
    task::{CommandAccepted, NoteState},
};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use rustls_pki_types::CertificateDer;
use tokio::{sync::watch, time::Instant};
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

use super::{Link, LinkError, Socket, pump::Pump};
use crate::{
    backoff::Backoff, clock::now_ms, facts, inventory::source::Root, metrics::Sampler, tasks::on_spool,
};

/// How long the host may take to welcome us.
const WELCOME: Duration = Duration::from_secs(30);
/// How long a packet may take to leave.
const WRITE: Duration = Duration::from_secs(30);
/// Samples travel this often: most of an idle day's traffic is metrics.
const METRICS: Duration = Duration::from_secs(600);
/// Nobody watches for longer at once.
const LONGEST_WATCH: Duration = Duration::from_secs(3600);
/// After a refused renewal, ask again so much later.
const RENEWAL_PAUSE: Duration = Duration::from_secs(3600);

/// An open session.
pub struct Session<'a> {
    link: &'a Link,
    sink: SplitSink<Socket, Message>,
    stream: SplitStream<Socket>,
    assembler: Assembler,
}

/// How often heartbeats are due.
#[derive(Debug, Clone, Copy)]
struct Pace {
    idle: Duration,
    watched: Option<(Duration, Instant)>,
}

impl Pace {
    fn interval(&self) -> Duration {
        match self.watched {
            Some((interval, until)) if Instant::now() < until => interval.min(self.idle),
            _ => self.idle,
        }
    }

    fn is_watched(&self) -> bool {
        self.watched.is_some_and(|(_, until)| Instant::now() < until)
    }
}

impl<'a> Session<'a> {
    /// Over a socket that was just opened.
    pub fn new(link: &'a Link, socket: Socket) -> Self {
        let (sink, stream) = socket.split();
        Self { link, sink, stream, assembler: Assembler::default() }
    }

    /// Until it ends; `Ok` only when the agent is stopping.
    pub async fn run(mut self, backoff: &mut Backoff, stop: &CancellationToken) -> Result<(), LinkError> {
        let link = self.link;
        let welcome = self.open().await?;
        backoff.reset();
        link.clock.set(welcome.server_time);
        link.tasks.set_limit(welcome.policy.concurrent_tasks.into());
        link.status.connected(&welcome);
        link.inventory.host_takes_deltas(welcome.capabilities.iter().any(|c| c == INVENTORY_DELTA));
        crate::update::welcomed(&link.data, welcome.session_id);
        tracing::info!(session.id = %welcome.session_id, machine.id = %welcome.machine_id, "connected");
        let notes = on_spool(&link.spool, |spool| spool.notes()).await?;
        let open = notes.iter().filter(|note| note.state != NoteState::Accepted).map(|note| note.task_id);
        link.hub.open(open);
        link.hub.send(link.engines.status());

        let (pace, paces) = watch::channel(pace_of(&welcome.policy, link.heartbeat));
        let Self { mut sink, stream, assembler, .. } = self;
        let reader = Reader { link, stream, assembler, pace: &pace };
        let mut pump = Pump::new(link, welcome.policy.output_window_bytes);
        let ended = tokio::select! {
            ended = reader.run() => ended,
            ended = write(link, &mut sink) => ended,
            ended = pump.run() => ended,
            () = ship(link) => Ok(()),
            ended = beat(link, paces, welcome.policy.renew_certificate) => ended,
            () = stop.cancelled() => Ok(()),
        };
        if ended.is_ok() {
            farewell(link, &mut sink).await;
        }
        link.hub.close();
        ended
    }

    async fn open(&mut self) -> Result<Welcome, LinkError> {
        let hello = hello(self.link).await?;
        for packet in
            agent_protocol::wire::encode(&hello.into()).map_err(|e| LinkError::Protocol(e.to_string()))?
        {
            send(&mut self.sink, packet).await?;
        }
        let first = async {
            loop {
                if let Some(frame) = next_frame(&mut self.stream, &mut self.assembler).await? {
                    return Ok::<_, LinkError>(frame);
                }
            }
        };
        let frame = tokio::time::timeout(WELCOME, first).await.map_err(|_| LinkError::Silent)?;
        match frame? {
            Frame::Welcome(welcome) => Ok(welcome),
            Frame::Goodbye(goodbye) => Err(goodbye.into()),
            other => Err(LinkError::Protocol(format!("`{}` came before the welcome", other.kind()))),
        }
    }
}

impl From<Goodbye> for LinkError {
    fn from(goodbye: Goodbye) -> Self {
        let retry_after =
            Duration::from_millis(u64::from(goodbye.retry_after_ms)).min(Duration::from_secs(3600));
        Self::Goodbye { code: goodbye.code, message: goodbye.message, retry_after }
    }
}

fn pace_of(policy: &Policy, configured: Duration) -> Pace {
    let asked = Duration::from_millis(u64::from(policy.heartbeat_interval_ms));
    let idle = if asked.is_zero() { configured } else { asked };
    Pace { idle: idle.clamp(Duration::from_millis(500), Duration::from_secs(3600)), watched: None }
}

async fn hello(link: &Link) -> Result<Hello, LinkError> {
    let root: Root = link.inventory.root().clone();
    let facts = tokio::task::spawn_blocking(move || facts::collect(&root)).await.unwrap_or_default();
    let mut tasks = on_spool(&link.spool, |spool| spool.notes()).await?;
    tasks.truncate(agent_protocol::limits::MAX_LIST);
    Ok(Hello {
        protocol: (OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION),
        agent_version: crate::update::running().to_string(),
        capabilities: ["cancel", "engines", "watch", INVENTORY_DELTA].map(str::to_owned).into(),
        facts,
        sections: link.inventory.section_digests(),
        tasks,
        engines: link.engines.loaded(),
        now: now_ms(),
    })
}

async fn send(sink: &mut SplitSink<Socket, Message>, packet: Vec<u8>) -> Result<(), LinkError> {
    let sent = tokio::time::timeout(WRITE, sink.send(Message::Binary(packet.into()))).await;
    Ok(sent.map_err(|_| LinkError::Silent)??)
}

/// The next frame, `None` when a packet was only part of one, or of a kind this version does not know.
async fn next_frame(
    stream: &mut SplitStream<Socket>,
    assembler: &mut Assembler,
) -> Result<Option<Frame>, LinkError> {
    let message =
        stream.next().await.ok_or_else(|| LinkError::Protocol("the connection was closed".into()))??;
    let bytes = match message {
        Message::Binary(bytes) => bytes,
        Message::Close(_) => return Err(LinkError::Protocol("the connection was closed".into())),
        Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => return Ok(None),
        Message::Text(_) => return Err(LinkError::Protocol("text on a binary connection".into())),
    };
    match assembler.push(&bytes) {
        Ok(frame) => Ok(frame),
        Err(DecodeError::UnknownFrame(kind)) => {
            tracing::debug!(kind, "a frame of a newer version is skipped");
            Ok(None)
        }
        Err(error) => Err(LinkError::Protocol(error.to_string())),
    }
}

async fn write(link: &Link, sink: &mut SplitSink<Socket, Message>) -> Result<(), LinkError> {
    loop {
        match link.hub.next_packet()? {
            Some(packet) => send(sink, packet).await?,
            None => link.hub.packets.notified().await,
        }
    }
}

/// Send what waits and say goodbye, in a few seconds at most.
async fn farewell(link: &Link, sink: &mut SplitSink<Socket, Message>) {
    let goodbye = async {
        link.hub.send(Goodbye::new("agent_stopping", "The agent is stopping."));
        while let Ok(Some(packet)) = link.hub.next_packet() {
            send(sink, packet).await?;
        }
        sink.close().await.map_err(LinkError::from)
    };
    if let Ok(Err(error)) = tokio::time::timeout(Duration::from_secs(5), goodbye).await {
        tracing::debug!(%error, "no proper goodbye");
    }
}

async fn beat(link: &Link, mut paces: watch::Receiver<Pace>, renew_now: bool) -> Result<(), LinkError> {
    let mut sampler = Sampler::new(link.inventory.root().clone());
    // A look before the first heartbeat, so that it can tell the processor's use.
    sampler.sample();
    let mut seq: u64 = 0;
    let mut renew_at = if renew_now { Some(Instant::now()) } else { None };
    loop {
        let pace = *paces.borrow_and_update();
        tokio::select! {
            () = tokio::time::sleep(pace.interval()) => {}
            // Somebody begins to watch: show something at once.
            changed = paces.changed() => if changed.is_err() { return Ok(()) },
        }
        seq += 1;
        // History travels as samples; a heartbeat shows figures at the beginning and while somebody watches.
        let metrics = (seq == 1 || paces.borrow().is_watched()).then(|| sampler.sample());
        let running_tasks = u32::try_from(link.tasks.running()).unwrap_or(u32::MAX);
        link.hub.send(Heartbeat { seq, running_tasks, metrics });
        renew(link, &mut renew_at)?;
    }
}

/// Send the figures that wait: at once after a connection, then every few minutes, a frame after the other.
async fn ship(link: &Link) {
    loop {
        while let Some(samples) = link.recorder.batch() {
            let answer = link.recorder.acknowledged.notified();
            // A full lane, or a host that does not know this frame: they wait for the next time.
            if !link.hub.send(samples) || tokio::time::timeout(WRITE, answer).await.is_err() {
                break;
            }
        }
        tokio::time::sleep(METRICS).await;
    }
}

/// Ask for a new certificate when it is time.
fn renew(link: &Link, forced_at: &mut Option<Instant>) -> Result<(), LinkError> {
    let old = link.present_certificate().is_some_and(|certificate| certificate.renew_at() <= now_ms());
    let due = match *forced_at {
        Some(at) => at <= Instant::now(),
        None => old,
    };
    if due {
        let request = link.identity.request(&link.enrolment.name)?;
        link.hub.send(CertificateRequest { csr_der: request.der().to_vec().into() });
        *forced_at = Some(Instant::now() + RENEWAL_PAUSE);
    }
    Ok(())
}

/// Reads frames and acts on them.
struct Reader<'a> {
    link: &'a Link,
    stream: SplitStream<Socket>,
    assembler: Assembler,
    pace: &'a watch::Sender<Pace>,
}

impl Reader<'_> {
    async fn run(mut self) -> Result<(), LinkError> {
        loop {
            if let Some(frame) = next_frame(&mut self.stream, &mut self.assembler).await? {
                self.take(frame).await?;
            }
        }
    }

    async fn take(&self, frame: Frame) -> Result<(), LinkError> {
        let link = self.link;
        match frame {
            Frame::Command(command) => {
                let task_id = command.task_id;
                let deadline = if command.deadline > 0 { link.clock.to_local(command.deadline) } else { 0 };
                match link.tasks.submit(command, deadline).await {
                    Ok(duplicate) => link.hub.must_send(CommandAccepted { task_id, duplicate }),
                    // The host takes the end of the session as "not taken" and sends it again in the next.
                    Err(error) => {
                        tracing::error!(%error, task.id = %task_id, "a command cannot be accepted");
                        return Err(error.into());
                    }
                }
            }
            Frame::Cancel(cancel) => link.tasks.cancel(cancel.task_id).await?,
            Frame::ResultAck(ack) => {
                on_spool(&link.spool, move |spool| spool.acknowledge_result(ack.task_id)).await?;
                link.hub.task_changed(ack.task_id);
            }
            Frame::OutputAck(ack) => {
                let last = if ack.full { u64::MAX } else { ack.seq };
                on_spool(&link.spool, move |spool| spool.acknowledge_output(ack.task_id, last)).await?;
                link.hub.output_acknowledged(ack.task_id, last);
            }
            Frame::EngineAssign(assign) => link.engines.assign(assign),
            Frame::InventoryRequest(request) => link.inventory.requested(&request),
            Frame::InventoryAck(ack) => link.inventory.acknowledged(&ack),
            Frame::Watch(watch) => self.watch(watch),
            Frame::SamplesAck(ack) => link.recorder.acknowledge(ack.until),
            Frame::Ping(ping) => link.hub.must_send(Pong { nonce: ping.nonce }),
            Frame::CertificateAnswer(answer) => self.certificate(answer),
            Frame::Goodbye(goodbye) => return Err(goodbye.into()),
            Frame::Pong(_) => {}
            other => {
                return Err(LinkError::Protocol(format!("`{}` is not for the host to say", other.kind())));
            }
        }
        Ok(())
    }

    fn watch(&self, watch: Watch) {
        let interval = Duration::from_millis(u64::from(watch.interval_ms.max(1000)));
        let until = Instant::now() + Duration::from_millis(u64::from(watch.for_ms)).min(LONGEST_WATCH);
        self.pace.send_modify(|pace| pace.watched = Some((interval, until)));
    }

    fn certificate(&self, answer: CertificateAnswer) {
        let chain = match answer {
            CertificateAnswer::Issued { chain_der, .. } => chain_der,
            CertificateAnswer::Refused { code, message } => {
                return tracing::warn!(code, "the host refused a new certificate: {message}");
            }
        };
        let link = self.link;
        let chain = chain.into_iter().map(|der| CertificateDer::from(der.into_vec())).collect();
        let stored = link.identity.check(chain, &link.authority).and_then(|certificate| {
            certificate.store(&link.data)?;
            Ok(certificate)
        });
        match stored {
            Ok(certificate) => {
                tracing::info!(not_after_unix_ms = certificate.not_after, "the certificate was renewed");
                link.replace_certificate(certificate);
            }
            Err(error) => tracing::error!(%error, "the new certificate is not usable"),
        }
    }
}
