//! From an empty process to a serving engine.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use plugin_api::{EngineError, Manifest};
use tokio::net::UnixStream;

use super::proxies::{Asker, LogProxy, ServiceProxy, SqlProxy};
use super::sandbox;
use super::serve::Server;
use crate::wire::frame::{Frame, MAX_FRAME, Start};
use crate::wire::link::{Link, Reader, decode, split};
use crate::{HostService, HostServices, SqlService, StartError, in_process, library, seal};

/// Be an engine's process until the host closes the connection.
pub(super) fn run() -> io::Result<()> {
    let (mut socket, library) = take_descriptors()?;
    sandbox::die_with_parent()?;
    let start = read_start(&mut socket)?;
    let remarks = sandbox::enter(&start);
    let threads = start.threads.clamp(1, 64);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .max_blocking_threads(16)
        .thread_name("engine")
        .enable_io()
        .enable_time()
        .build()?;
    runtime.block_on(async {
        socket.set_nonblocking(true)?;
        let (link, reader) = split(UnixStream::from_std(socket)?);
        serve(Arc::new(link), reader, library, start, remarks).await;
        Ok(())
    })
}

/// Move the socket and the library off the standard streams, whose places libraries print to.
fn take_descriptors() -> io::Result<(StdStream, OwnedFd)> {
    let above = 3;
    let socket = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), above)?;
    let library = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), above)?;
    let null = File::open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(rustix::stdio::stderr())?;
    Ok((socket.into(), library))
}

/// The first frame. Nothing follows it before this side has spoken, except pings, which are read later.
fn read_start(socket: &mut StdStream) -> io::Result<Start> {
    let mut head = [0; 4];
    socket.read_exact(&mut head)?;
    let length = usize::try_from(u32::from_le_bytes(head)).unwrap_or(usize::MAX);
    if length > MAX_FRAME {
        return Err(io::Error::other("the first frame is too large"));
    }
    let mut buffer = BytesMut::zeroed(4 + length);
    buffer[..4].copy_from_slice(&head);
    socket.read_exact(&mut buffer[4..])?;
    match decode(&mut buffer)? {
        Some(Frame::Start(start)) => Ok(*start),
        _ => Err(io::Error::other("the first frame is not `Start`")),
    }
}

async fn serve(link: Arc<Link>, reader: Reader, library: OwnedFd, start: Start, remarks: Vec<String>) {
    let flusher = link.clone();
    tokio::spawn(async move { flusher.flush().await });
    let asker = Arc::new(Asker::new(link.clone()));
    let log = Arc::new(LogProxy::new(link.clone(), start.log_level));
    let server = Arc::new(Server::new(link.clone(), asker.clone(), log.clone()));
    keep_listening(server.clone());
    // Started before the engine, which may call services while it is built.
    let listening = tokio::spawn(server.clone().listen(reader));
    let limit = Duration::from_millis(start.start_ms);
    let frame = match begin(&server, library, &start, log, asker, limit).await {
        Ok(description) => Frame::Ready { description: description.into(), remarks },
        Err(StartError::Refused(r)) => Frame::Failed {
            refusal: true,
            error: EngineError { code: r.code().to_owned(), message: r.message },
        },
        Err(e) => {
            let error = EngineError { code: e.code().to_owned(), message: e.to_string() };
            Frame::Failed { refusal: false, error }
        }
    };
    let _ = link.send(&frame);
    let _ = listening.await;
    exit();
}

/// How long a blocked thread can hold up the others.
const NUDGE: Duration = Duration::from_millis(100);

/// Wake a thread of the runtime now and then while calls run. The runtime leaves the socket to the thread that slept on
/// it last; when engine code blocks that one, the others sleep on and hear nothing until one of them is woken.
fn keep_listening(server: Arc<Server>) {
    let runtime = tokio::runtime::Handle::current();
    let nudge = move || {
        loop {
            std::thread::sleep(NUDGE);
            if server.is_busy() {
                runtime.spawn(async {});
            }
        }
    };
    // Without the thread, heartbeats still tell the host of a hang.
    let _ = std::thread::Builder::new().name("nudge".into()).stack_size(64 << 10).spawn(nudge);
}

/// Load the library, compare, build the engine; gives the description as JSON.
async fn begin(
    server: &Arc<Server>,
    library: OwnedFd,
    start: &Start,
    log: Arc<LogProxy>,
    asker: Arc<Asker>,
    limit: Duration,
) -> Result<Vec<u8>, StartError> {
    let manifest: Manifest = plugin_api::error::decode(&start.manifest.0)?;
    let path = seal::path_of(library);
    let for_loader = manifest.clone();
    let loaded = tokio::task::spawn_blocking(move || load(&path, &for_loader)).await;
    let loaded = loaded.map_err(|e| EngineError::new("load_failed", e.to_string()))??;
    let service = |name: &String| {
        let proxy: Arc<dyn HostService> = Arc::new(ServiceProxy::new(name.clone(), asker.clone()));
        (name.clone(), proxy)
    };
    let services = HostServices {
        log,
        sql: start.sql.map(|backend| Arc::new(SqlProxy::new(backend, asker.clone())) as Arc<dyn SqlService>),
        services: start.services.iter().map(service).collect(),
    };
    let services = crate::adapters::server_services(&manifest, &services)?;
    let engine = in_process::create(&loaded, services, limit).await?;
    server.set_engine(engine);
    Ok(plugin_api::error::encode(&loaded.description)?)
}

fn load(path: &Path, manifest: &Manifest) -> Result<library::Loaded, StartError> {
    Ok(library::load(path, manifest)?)
}

/// End at once. Nothing an engine left running may keep the process; what must last is with the host.
pub(super) fn exit() -> ! {
    // SAFETY: `_exit` has no preconditions.
    unsafe { libc::_exit(0) }
}
