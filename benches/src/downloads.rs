//! A hundred downloads of a package of 20 MB at once: the portal against nginx that serves the same file.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use e2e::{portal::Portal, process::Process};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use crate::{
    engine, padded, proc,
    report::{Row, size, times},
};

const SIZE: usize = 20_000_000;
const AT_ONCE: usize = 100;
/// Sides take turns so often.
const ROUNDS: usize = 5;
/// How long one download may take.
const PATIENCE: Duration = Duration::from_secs(120);
const PASSWORD: &str = "correct horse battery staple";
/// Where Debian's package and `cargo xtask bench` put it.
const NGINX: &str = "SYSMANAGE_NGINX";

/// Measure.
pub async fn measure() -> Result<Vec<Row>> {
    let folder = tempfile::tempdir()?;
    // Free: what is measured is the sending, which is the same for what a licence grants.
    let package = padded::package(SIZE, |manifest| manifest.entitlement = None)?;
    let file = folder.path().join("example-0.1.0.engine");
    fs::write(&file, &package)?;
    let nginx = Nginx::start(folder.path())?;
    let portal = sell(folder.path(), &file).await?;
    let (mut of_nginx, mut of_portal) = (Vec::new(), Vec::new());
    let before = proc::rss(portal.process.id())?;
    let mut highest = before;
    for _ in 0..ROUNDS {
        of_nginx.push(all(&nginx.request(&file)?, nginx.port, package.len(), None).await?.0);
        let request = portal.request.clone();
        let (time, rss) = all(&request, portal.port, package.len(), Some(portal.process.id())).await?;
        of_portal.push(time);
        highest = highest.max(rss);
    }
    let rate = |times: &[Duration]| {
        let mut times = times.to_vec();
        times.sort();
        (AT_ONCE * package.len()) as f64 / 1e6 / times[times.len() / 2].as_secs_f64()
    };
    let (theirs, ours) = (rate(&of_nginx), rate(&of_portal));
    Ok(vec![
        Row {
            figure: format!("portal: {AT_ONCE} downloads of {} at once (p50 of {ROUNDS})", size(SIZE as u64)),
            against: format!("nginx {theirs:.0} MB/s"),
            measured: format!("{ours:.0} MB/s"),
            ratio: format!("{:.0} %", 100.0 * ours / theirs),
            goal: "",
        },
        Row {
            figure: "portal: resident memory meanwhile, the highest".into(),
            against: format!("{} before", size(before)),
            measured: size(highest),
            ratio: times(highest as f64, before as f64),
            goal: "",
        },
    ])
}

/// A portal that offers the package, and the request of somebody who may have it.
struct Shop {
    process: Process,
    port: u16,
    request: String,
}

async fn sell(folder: &Path, package: &Path) -> Result<Shop> {
    let port = free_port()?;
    let config = format!("[downloads]\nat_once = 256\nat_once_per_organisation = {}\n", AT_ONCE + 1);
    let portal = Portal::start_with(&folder.join("portal"), port, &[package.to_owned()], &config).await?;
    let client = Client::new();
    let body = json!({"email": "b@example.org", "name": "b", "password": PASSWORD, "organisation": "Bench"});
    let answer = client.post(format!("{}/api/v1/sign-up", portal.url)).json(&body).send().await?;
    let cookie = answer.headers().get("set-cookie").context("a session")?.to_str()?.to_owned();
    let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
    let mine = client.get(format!("{}/api/v1/organisations", portal.url)).header("cookie", &cookie);
    let mine: Value = mine.send().await?.error_for_status()?.json().await?;
    let org = mine["items"][0]["id"].as_str().context("an organisation")?;
    let target = plugin_runtime::TARGET;
    let path = format!("/api/v1/organisations/{org}/engines/{}/0.1.0/{target}", engine::ID);
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n");
    Ok(Shop { process: portal.process, port, request })
}

/// Download so often at once; how long it took, and the greatest memory of the process that was seen.
async fn all(request: &str, port: u16, expected: usize, pid: Option<u32>) -> Result<(Duration, u64)> {
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..AT_ONCE {
        let request = request.to_owned();
        tasks.spawn(tokio::time::timeout(PATIENCE, one(request, port, expected)));
    }
    let mut highest = 0;
    loop {
        tokio::select! {
            done = tasks.join_next() => match done {
                Some(done) => done???,
                None => break,
            },
            () = tokio::time::sleep(Duration::from_millis(50)) => {}
        }
        if let Some(pid) = pid {
            highest = highest.max(proc::rss(pid)?);
        }
    }
    Ok((begun.elapsed(), highest))
}

/// One download, its bytes thrown away: the client costs both sides the same.
async fn one(request: String, port: u16, expected: usize) -> Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut buffer = vec![0; 1 << 18];
    let first = stream.read(&mut buffer).await?;
    ensure!(
        buffer[..first].starts_with(b"HTTP/1.1 200"),
        "{}",
        String::from_utf8_lossy(&buffer[..first.min(300)])
    );
    let mut received = first;
    loop {
        match stream.read(&mut buffer).await? {
            0 => break,
            n => received += n,
        }
    }
    ensure!(received > expected, "only {received} of {expected} bytes came");
    Ok(())
}

struct Nginx {
    _process: Process,
    port: u16,
}

impl Nginx {
    fn start(folder: &Path) -> Result<Self> {
        let program = std::env::var_os(NGINX).map_or_else(|| PathBuf::from("/usr/sbin/nginx"), PathBuf::from);
        if !program.exists() {
            bail!("no nginx at {}; name one in {NGINX}", program.display());
        }
        let port = free_port()?;
        let root = folder.display();
        // As its documentation advises for files: the kernel sends them.
        let config = format!(
            "daemon off;\nworker_processes auto;\npid {root}/nginx.pid;\nerror_log {root}/nginx.log;\nevents {{ worker_connections 1024; }}\n\
             http {{ access_log off; sendfile on; tcp_nopush on; client_body_temp_path {root}/t1; proxy_temp_path {root}/t2; \
             fastcgi_temp_path {root}/t3; uwsgi_temp_path {root}/t4; scgi_temp_path {root}/t5;\n\
             server {{ listen 127.0.0.1:{port}; root {root}; }} }}\n"
        );
        let file = folder.join("nginx.conf");
        fs::write(&file, config)?;
        // Whoever serves needs to read: the folder is private to who made it.
        let mut command = Command::new(program);
        command.arg("-p").arg(folder).arg("-c").arg(&file).args(["-g", "user root;"]);
        let mut process = Process::start(&mut command, &folder.join("nginx.out"))?;
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if process.ended()?.is_some() || begun.elapsed() > Duration::from_secs(10) {
                bail!("nginx does not serve:\n{}", process.tail(20));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(Self { _process: process, port })
    }

    fn request(&self, file: &Path) -> Result<String> {
        let name = file.file_name().and_then(|n| n.to_str()).context("a name")?;
        Ok(format!("GET /{name} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"))
    }
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
