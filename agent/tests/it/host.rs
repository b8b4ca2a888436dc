//! A small host for tests: real TLS with an authority of its own, enrolment, packages, and sessions.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use agent_protocol::{
    Assembler, Frame, UnixMs,
    enroll::{
        CONNECT_PATH, ENROLL_PATH, EnrollAnswer, EnrollRequest, POLL_PATH, PollRequest, poll_proof_message,
    },
    inventory::INVENTORY_DELTA,
    session::{Policy, Welcome},
    wire,
};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, CertificateSigningRequestParams, IsCa, Issuer, KeyPair};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio::{net::TcpListener, sync::mpsc};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, handshake::derive_accept_key, protocol::Role},
};
use uuid::Uuid;

pub const TOKEN: &str = "token-of-the-administrator";
const HANDLE: &str = "a-secret-handle";

/// The longest a test waits for anything.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct TestHost {
    pub url: String,
    pub state: Arc<HostState>,
    sessions: mpsc::UnboundedReceiver<HostSession>,
}

pub struct HostState {
    pub approved: AtomicBool,
    pub machine_id: Uuid,
    pub polls: AtomicUsize,
    /// What the next welcome says.
    pub policy: Mutex<Policy>,
    /// How long certificates live from now on.
    pub certificate_life: Mutex<Duration>,
    /// Packages by path, with how many bytes of them are sent before the connection breaks.
    pub packages: Mutex<HashMap<String, (Bytes, Option<usize>)>>,
    pub ranges: Mutex<Vec<Option<String>>>,
    pub server_time_offset: Mutex<i64>,
    authority: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
    enrolled: Mutex<Option<(String, Vec<u8>)>>,
}

/// One session, as the test sees it.
pub struct HostSession {
    pub frames: mpsc::UnboundedReceiver<Frame>,
    pub out: mpsc::UnboundedSender<Frame>,
    pub hello: agent_protocol::session::Hello,
    /// The client certificate's serial number changes with each renewal.
    pub certificate: Vec<u8>,
}

pub fn now_ms() -> UnixMs {
    chrono::Utc::now().timestamp_millis()
}

impl HostState {
    pub fn fingerprint(&self) -> String {
        sysmanage_agent::inventory::hex_digest(&self.authority)
    }

    fn sign(&self, mut csr: CertificateSigningRequestParams) -> rcgen::Certificate {
        let life = *self.certificate_life.lock().unwrap();
        let now = std::time::SystemTime::now();
        csr.params.not_before = (now - Duration::from_secs(1)).into();
        csr.params.not_after = (now + life).into();
        csr.params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        csr.params.serial_number = Some(rcgen::SerialNumber::from_slice(Uuid::now_v7().as_bytes()));
        csr.signed_by(&self.issuer).unwrap()
    }

    /// A chain for a request in DER, leaf first.
    pub fn chain_der(&self, csr: &[u8]) -> Vec<serde_bytes::ByteBuf> {
        let csr = CertificateSigningRequestParams::from_der(&csr.to_vec().into()).unwrap();
        vec![self.sign(csr).der().to_vec().into(), self.authority.to_vec().into()].into_iter().collect()
    }

    fn answer(&self, first: bool) -> EnrollAnswer {
        let handle = first.then(|| HANDLE.to_owned());
        if !self.approved.load(Ordering::SeqCst) {
            return EnrollAnswer::Pending { machine_id: self.machine_id, handle, poll_after_s: 1 };
        }
        let (csr, _) = self.enrolled.lock().unwrap().clone().unwrap();
        let certificate = self.sign(CertificateSigningRequestParams::from_pem(&csr).unwrap());
        let chain_pem = certificate.pem() + &sysmanage_agent::identity::to_pem(&self.authority);
        EnrollAnswer::Approved {
            machine_id: self.machine_id,
            handle,
            chain_pem,
            not_after: now_ms() + 3_600_000,
        }
    }

    fn enrol(&self, request: &EnrollRequest) -> Result<EnrollAnswer, (StatusCode, &'static str)> {
        if request.token != TOKEN {
            return Err((StatusCode::FORBIDDEN, "unknown_token"));
        }
        let csr = CertificateSigningRequestParams::from_pem(&request.csr_pem)
            .map_err(|_| (StatusCode::BAD_REQUEST, "bad_csr"))?;
        let key = rcgen::PublicKeyData::der_bytes(&csr.public_key).to_vec();
        *self.enrolled.lock().unwrap() = Some((request.csr_pem.clone(), key));
        Ok(self.answer(true))
    }

    fn poll(&self, request: &PollRequest) -> Result<EnrollAnswer, (StatusCode, &'static str)> {
        self.polls.fetch_add(1, Ordering::SeqCst);
        let (_, key) =
            self.enrolled.lock().unwrap().clone().ok_or((StatusCode::NOT_FOUND, "unknown_handle"))?;
        let proof = data_encoding::BASE64.decode(request.proof.as_bytes()).unwrap();
        let key = ring::signature::UnparsedPublicKey::new(&ring::signature::ECDSA_P256_SHA256_ASN1, key);
        key.verify(&poll_proof_message(&request.handle), &proof)
            .map_err(|_| (StatusCode::FORBIDDEN, "bad_proof"))?;
        if request.handle == HANDLE {
            Ok(self.answer(false))
        } else {
            Err((StatusCode::NOT_FOUND, "unknown_handle"))
        }
    }
}

impl TestHost {
    pub async fn start() -> Self {
        let authority_key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "test authority");
        let authority = params.self_signed(&authority_key).unwrap().der().clone();
        let issuer = Issuer::new(params, authority_key);
        let server_key = KeyPair::generate().unwrap();
        let server = CertificateParams::new(["localhost".to_owned()])
            .unwrap()
            .signed_by(&server_key, &issuer)
            .unwrap();

        let mut roots = rustls::RootCertStore::empty();
        roots.add(authority.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let clients =
            rustls::server::WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone())
                .allow_unauthenticated()
                .build()
                .unwrap();
        let tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(clients)
            .with_single_cert(
                vec![server.der().clone(), authority.clone()],
                PrivatePkcs8KeyDer::from(server_key.serialize_der()).into(),
            )
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let state = Arc::new(HostState {
            approved: AtomicBool::new(true),
            machine_id: Uuid::now_v7(),
            polls: AtomicUsize::new(0),
            policy: Mutex::new(Policy::default()),
            certificate_life: Mutex::new(Duration::from_secs(3600)),
            packages: Mutex::default(),
            ranges: Mutex::default(),
            server_time_offset: Mutex::new(0),
            authority,
            issuer,
            enrolled: Mutex::new(None),
        });
        let (sender, sessions) = mpsc::unbounded_channel();
        tokio::spawn(serve(listener, tls, Arc::clone(&state), sender));
        Self { url, state, sessions }
    }

    pub async fn session(&mut self) -> HostSession {
        tokio::time::timeout(PATIENCE, self.sessions.recv()).await.expect("an agent connects").unwrap()
    }

    /// Whether an agent connects within a while.
    pub async fn no_session_for(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, self.sessions.recv()).await.is_err()
    }
}

impl HostSession {
    pub fn send(&self, frame: impl Into<Frame>) {
        self.out.send(frame.into()).unwrap();
    }

    /// The next frame that `wanted` takes; others are passed over.
    pub async fn wait<T>(&mut self, mut wanted: impl FnMut(Frame) -> Option<T>) -> T {
        let search = async {
            loop {
                let frame = self.frames.recv().await.expect("the session goes on");
                if let Some(found) = wanted(frame) {
                    return found;
                }
            }
        };
        tokio::time::timeout(PATIENCE, search).await.expect("the frame comes")
    }
}

async fn serve(
    listener: TcpListener,
    tls: rustls::ServerConfig,
    state: Arc<HostState>,
    sessions: mpsc::UnboundedSender<HostSession>,
) {
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
    loop {
        let (tcp, _) = listener.accept().await.unwrap();
        let (acceptor, state, sessions) = (acceptor.clone(), Arc::clone(&state), sessions.clone());
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(tcp).await else { return };
            let certificate = stream.get_ref().1.peer_certificates().map(|chain| chain[0].to_vec());
            let service = service_fn(move |request| {
                route(request, certificate.clone(), Arc::clone(&state), sessions.clone())
            });
            let connection =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            let _ended = connection.with_upgrades().await;
        });
    }
}

type Answer = Response<http_body_util::combinators::UnsyncBoxBody<Bytes, std::io::Error>>;

fn whole(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let mut response = Response::new(Full::new(body.into()).map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    response
}

fn json(answer: Result<EnrollAnswer, (StatusCode, &'static str)>) -> Answer {
    match answer {
        Ok(answer) => whole(StatusCode::OK, serde_json::to_vec(&answer).unwrap()),
        Err((status, code)) => whole(status, format!("{{\"code\":\"{code}\",\"detail\":\"No.\"}}")),
    }
}

async fn route(
    request: Request<Incoming>,
    certificate: Option<Vec<u8>>,
    state: Arc<HostState>,
    sessions: mpsc::UnboundedSender<HostSession>,
) -> Result<Answer, std::io::Error> {
    let path = request.uri().path().to_owned();
    match (path.as_str(), certificate) {
        (ENROLL_PATH, _) => {
            let body = request.into_body().collect().await.map_err(std::io::Error::other)?.to_bytes();
            Ok(json(state.enrol(&serde_json::from_slice(&body).unwrap())))
        }
        (POLL_PATH, _) => {
            let body = request.into_body().collect().await.map_err(std::io::Error::other)?.to_bytes();
            Ok(json(state.poll(&serde_json::from_slice(&body).unwrap())))
        }
        (CONNECT_PATH, Some(certificate)) => Ok(upgrade(request, certificate, state, sessions)),
        (_, Some(_)) => Ok(package(&request, &path, &state)),
        _ => Ok(whole(StatusCode::UNAUTHORIZED, "")),
    }
}

fn package(request: &Request<Incoming>, path: &str, state: &HostState) -> Answer {
    let mut packages = state.packages.lock().unwrap();
    let Some((bytes, breaks_after)) = packages.get_mut(path) else { return whole(StatusCode::NOT_FOUND, "") };
    let range = request.headers().get(header::RANGE).map(|range| range.to_str().unwrap().to_owned());
    let from: usize =
        range.as_deref().map_or(0, |r| r.trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap());
    state.ranges.lock().unwrap().push(range);
    let status = if from > 0 { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let rest = bytes.slice(from..);
    let Some(sent) = breaks_after.take() else { return whole(status, rest) };
    let data = rest.slice(..sent);
    let broken = async {
        // What was sent before must have left.
        tokio::time::sleep(Duration::from_millis(300)).await;
        Err(std::io::Error::other("broken on purpose"))
    };
    let pieces = futures_util::stream::once(async { Ok(http_body::Frame::data(data)) });
    let body = http_body_util::StreamBody::new(pieces.chain(futures_util::stream::once(broken)));
    let mut response = Response::new(BodyExt::boxed_unsync(body));
    *response.status_mut() = status;
    response
}

fn upgrade(
    mut request: Request<Incoming>,
    certificate: Vec<u8>,
    state: Arc<HostState>,
    sessions: mpsc::UnboundedSender<HostSession>,
) -> Answer {
    let key = derive_accept_key(request.headers()[header::SEC_WEBSOCKET_KEY].as_bytes());
    let protocol = request.headers()[header::SEC_WEBSOCKET_PROTOCOL].clone();
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let Ok(upgraded) = upgraded.await else { return };
        let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
        talk(socket, certificate, state, sessions).await;
    });
    let mut response = whole(StatusCode::SWITCHING_PROTOCOLS, "");
    response.headers_mut().insert(header::CONNECTION, "upgrade".parse().unwrap());
    response.headers_mut().insert(header::UPGRADE, "websocket".parse().unwrap());
    response.headers_mut().insert(header::SEC_WEBSOCKET_ACCEPT, key.parse().unwrap());
    response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    response
}

async fn talk(
    mut socket: WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>,
    certificate: Vec<u8>,
    state: Arc<HostState>,
    sessions: mpsc::UnboundedSender<HostSession>,
) {
    let (to_test, frames) = mpsc::unbounded_channel();
    let (out, mut from_test) = mpsc::unbounded_channel::<Frame>();
    let mut handover = Some((frames, out, certificate));
    let mut assembler = Assembler::default();
    loop {
        tokio::select! {
            message = socket.next() => {
                let Some(Ok(Message::Binary(bytes))) = message else { return };
                match assembler.push(&bytes).expect("the agent sends good frames") {
                    Some(Frame::Hello(hello)) => {
                        let welcome = Welcome {
                            protocol: 1,
                            session_id: Uuid::now_v7(),
                            machine_id: state.machine_id,
                            server_time: now_ms() + *state.server_time_offset.lock().unwrap(),
                            host_version: "1.0.0".into(),
                            policy: state.policy.lock().unwrap().clone(),
                            capabilities: vec![INVENTORY_DELTA.into()],
                        };
                        for packet in wire::encode(&welcome.into()).unwrap() {
                            socket.send(Message::Binary(packet.into())).await.unwrap();
                        }
                        let (frames, out, certificate) = handover.take().expect("one hello a session");
                        let _gone = sessions.send(HostSession { frames, out, hello, certificate });
                    }
                    Some(frame) => {
                        let _gone = to_test.send(frame);
                    }
                    None => {}
                }
            }
            frame = from_test.recv() => {
                // The test dropped the session: so does the host.
                let Some(frame) = frame else { return };
                for packet in wire::encode(&frame).unwrap() {
                    if socket.send(Message::Binary(packet.into())).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

/// The agent's program on a data folder of its own; killed when dropped.
pub struct AgentProcess {
    pub data: PathBuf,
    child: Option<Child>,
}

/// An agent of another profile to test, e.g. the one that is shipped; its budget is then checked.
pub const OTHER_PROGRAM: &str = "SYSMANAGE_AGENT_TEST_PROGRAM";

fn program(data: &Path) -> std::process::Command {
    let other = std::env::var_os(OTHER_PROGRAM);
    let mut command =
        std::process::Command::new(other.unwrap_or_else(|| env!("CARGO_BIN_EXE_sysmanage-agent").into()));
    // As the service does.
    command.env("MALLOC_ARENA_MAX", "1");
    command.arg("--data").arg(data);
    command.env("SYSMANAGE_AGENT__CONNECTION__MAX_BACKOFF_S", "1");
    command.env("SYSMANAGE_AGENT__LOG__FILTER", "warn,engine=info,sysmanage_agent=debug");
    command
}

impl AgentProcess {
    pub fn new(data: &Path) -> Self {
        Self { data: data.to_owned(), child: None }
    }

    /// Run a command of the program to its end.
    pub async fn command(&self, arguments: &[&str]) -> std::process::Output {
        let mut command = program(&self.data);
        command.args(arguments);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    pub async fn enrol(&self, host: &TestHost) {
        let fingerprint = host.state.fingerprint();
        let arguments = [
            "enroll",
            "--server",
            &host.url,
            "--token",
            TOKEN,
            "--ca-fingerprint",
            &fingerprint,
            "--wait",
            "60",
        ];
        let output = self.command(&arguments).await;
        assert!(output.status.success(), "{output:?}");
    }

    pub fn run(&mut self) {
        let log = std::fs::OpenOptions::new().append(true).create(true).open(self.data.join("log")).unwrap();
        self.child = Some(program(&self.data).arg("run").stdout(Stdio::null()).stderr(log).spawn().unwrap());
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    pub fn kill_9(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// SIGTERM, and the exit status.
    pub async fn stop(&mut self) -> std::process::ExitStatus {
        let mut child = self.child.take().expect("it runs");
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap()
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.data.join("log")).unwrap_or_default()
    }
}

impl Drop for AgentProcess {
    fn drop(&mut self) {
        self.kill_9();
        if std::thread::panicking() {
            eprintln_log(&self.log());
        }
    }
}

/// A failed test shows what the agent said.
fn eprintln_log(log: &str) {
    use std::io::Write;
    let _shown = std::io::stderr().write_all(log.as_bytes());
}
