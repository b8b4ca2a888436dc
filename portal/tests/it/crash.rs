//! The portal as a process that is killed in the middle of its work: nothing is lost, and nothing is issued twice.

use std::{
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use chrono::Utc;
use licenses::{Installed, License, LicenseSet};
use portal::{config::Config, payments::stripe::sign};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

use crate::{
    keys::{entry, new_key, write},
    portal::{PASSWORD, TARGET, package},
    stripe::{KEY, SECRET, StandIn, completed, invoice_paid, refunded},
};

const PATIENCE: Duration = Duration::from_secs(60);
const MONTH: i64 = 30 * 86_400;

pub struct Process {
    child: Child,
    pub url: String,
}

impl Process {
    /// Serve until it is killed; the log says where.
    pub async fn start(config: &Path) -> Self {
        let mut child = command(config).arg("serve").stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let found = timeout(PATIENCE, async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if let Some((_, rest)) = line.split_once("http=") {
                    return rest.split_whitespace().next().unwrap().to_owned();
                }
            }
            panic!("the portal ended before it served");
        });
        let address = found.await.unwrap();
        // Whoever reads no more stops the writer.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { child, url: format!("http://{address}") }
    }

    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

pub fn command(config: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sysmanage-portal"));
    command.arg("--config").arg(config).env("NO_COLOR", "1").kill_on_drop(true);
    command
}

pub async fn publish(config: &Path, file: &Path) -> ExitStatus {
    let mut child =
        command(config).arg("publish").arg(file).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    timeout(PATIENCE, child.wait()).await.unwrap().unwrap()
}

/// A configuration file of a portal on SQLite.
pub fn configure(folder: &Path, stripe: &str) -> std::path::PathBuf {
    let mut config = Config { data_dir: folder.join("data"), ..Config::default() };
    // The same after a kill: where Stripe sends people back to is part of what a checkout was begun with.
    config.http.port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    config.auth.logins_per_minute = 10_000;
    config.releases.needs_report = false;
    for (name, text) in [("key", KEY), ("webhook", SECRET)] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    config.payments.stripe.secret_key_file = folder.join("key").display().to_string();
    config.payments.stripe.webhook_secret_file = folder.join("webhook").display().to_string();
    config.payments.stripe.api_url = stripe.to_owned();
    let file = folder.join("portal.toml");
    std::fs::write(&file, toml::to_string(&config).unwrap()).unwrap();
    file
}

/// Deliver an event; `None` when the portal died over it.
async fn deliver(client: &reqwest::Client, url: &str, event: &Value) -> Option<u16> {
    let body = event.to_string();
    let header = sign(body.as_bytes(), SECRET, Utc::now().timestamp());
    let request = client.post(format!("{url}/webhooks/stripe")).header("stripe-signature", header).body(body);
    Some(request.send().await.ok()?.status().as_u16())
}

#[tokio::test]
async fn killed_while_it_takes_webhooks_it_loses_none_and_licenses_once() {
    let (_stand_in, stripe) = StandIn::start().await;
    let folder = tempfile::tempdir().unwrap();
    let config = configure(folder.path(), &stripe);
    let file = package(folder.path(), Utc::now(), ("pro", "1.0.0", "professional"), &[TARGET], b"library");
    assert!(publish(&config, &file).await.success());
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::new();
    let mut process = Process::start(&config).await;
    let body = json!({"email": "m@example.org", "name": "M", "password": PASSWORD, "organisation": "M"});
    let made = client.post(format!("{}/api/v1/sign-up", process.url)).json(&body).send().await.unwrap();
    let cookie = made.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let get = async |url: &str, path: &str| -> Value {
        let answer = client.get(format!("{url}{path}")).header("cookie", &cookie).send().await.unwrap();
        answer.json().await.unwrap()
    };
    let org = get(&process.url, "/api/v1/organisations").await["items"][0]["id"].as_str().unwrap().to_owned();
    let orders = format!("/api/v1/organisations/{org}/orders");
    let order = client
        .post(format!("{}{orders}", process.url))
        .header("cookie", &cookie)
        .json(&json!({"plan": "professional-month", "machines": 3}))
        .send()
        .await
        .unwrap();
    let order = order.json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned();
    let now = Utc::now().timestamp();
    let mut events = vec![completed(&order, "in_0", now)];
    for n in 0..12 {
        let name = format!("in_{n}");
        events.push(invoice_paid(&order, &name, (now + n * MONTH, now + (n + 1) * MONTH)));
        // The last month but two is the last that is kept.
        if n >= 10 {
            events.push(refunded(&name, 30_000, now + 1));
        }
    }
    for round in 0..6 {
        let url = process.url.clone();
        let all = futures_util::future::join_all(events.iter().map(|event| deliver(&client, &url, event)));
        let (killer, _) = tokio::join!(
            async {
                tokio::time::sleep(Duration::from_millis(5 + 15 * round)).await;
                process.kill().await;
                Process::start(&config).await
            },
            all
        );
        process = killer;
    }
    // Stripe delivers until it is answered.
    for event in &events {
        assert_eq!(deliver(&client, &process.url, event).await, Some(200));
    }
    let licenses = get(&process.url, &format!("/api/v1/organisations/{org}/licenses")).await;
    let licenses = licenses["items"].as_array().unwrap();
    assert_eq!(licenses.len(), 1);
    assert_eq!(licenses[0]["editions"][0]["claims"]["exp"], now + 10 * MONTH);
    let history = get(&process.url, &format!("{orders}/{order}/history")).await;
    // What was ordered, and each event once.
    assert_eq!(history["items"].as_array().unwrap().len(), 1 + events.len());
    let numbers: Vec<i64> = licenses[0]["editions"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|e| e["edition"].as_i64().unwrap())
        .collect();
    assert_eq!(numbers, (1..=numbers.len() as i64).collect::<Vec<_>>());
    process.kill().await;
}

#[tokio::test]
async fn killed_while_it_publishes_it_publishes_the_whole_package_or_nothing() {
    let (_stand_in, stripe) = StandIn::start().await;
    let folder = tempfile::tempdir().unwrap();
    let config = configure(folder.path(), &stripe);
    let mut library = vec![0u8; 4 << 20];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut library).unwrap();
    let file = package(folder.path(), Utc::now(), ("pro", "1.0.0", "professional"), &[TARGET], &library);
    for round in 0..8 {
        let mut child = command(&config)
            .arg("publish")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        tokio::time::sleep(Duration::from_millis(20 + 40 * round)).await;
        child.kill().await.unwrap();
    }
    assert!(publish(&config, &file).await.success());
    let packages = folder.path().join("data/packages");
    let mut kept = Vec::new();
    for part in std::fs::read_dir(&packages).unwrap() {
        for entry in std::fs::read_dir(part.unwrap().path()).unwrap() {
            let path = entry.unwrap().path();
            if !path.file_name().unwrap().to_str().unwrap().starts_with('.') {
                kept.push(path);
            }
        }
    }
    assert_eq!(kept.len(), 1);
    assert!(std::fs::read(&kept[0]).unwrap() == std::fs::read(&file).unwrap());
    let listed = command(&config).arg("releases").stderr(Stdio::null()).output().await.unwrap();
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["files"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn killed_while_keys_change_it_signs_every_edition_once_and_hosts_believe_all() {
    let (_stand_in, stripe) = StandIn::start().await;
    let folder = tempfile::tempdir().unwrap();
    let config = configure(folder.path(), &stripe);
    let before = std::fs::read_to_string(&config).unwrap().replace("keys = []\n", "");
    let file = package(folder.path(), Utc::now(), ("pro", "1.0.0", "professional"), &[TARGET], b"library");
    assert!(publish(&config, &file).await.success());
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::new();
    let mut process = Process::start(&config).await;
    let body = json!({"email": "m@example.org", "name": "M", "password": PASSWORD, "organisation": "M"});
    let made = client.post(format!("{}/api/v1/sign-up", process.url)).json(&body).send().await.unwrap();
    let cookie = made.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let own = client.get(format!("{}/api/v1/organisations", process.url)).header("cookie", &cookie);
    let own: Value = own.send().await.unwrap().json().await.unwrap();
    let org = own["items"][0]["id"].as_str().unwrap().to_owned();
    let order = client
        .post(format!("{}/api/v1/organisations/{org}/orders", process.url))
        .header("cookie", &cookie)
        .json(&json!({"plan": "professional-month", "machines": 3}))
        .send()
        .await
        .unwrap();
    let order = order.json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned();
    let now = Utc::now().timestamp();
    assert_eq!(deliver(&client, &process.url, &completed(&order, "in_0", now)).await, Some(200));
    // The last is told when the last key is in force for certain.
    let paid: Vec<Value> = (0..25)
        .map(|n| invoice_paid(&order, &format!("in_{n}"), (now + n * MONTH, now + (n + 1) * MONTH)))
        .collect();
    let mut text = before;
    for round in 0..6i64 {
        let from = Utc::now() - chrono::Duration::hours(1) + chrono::Duration::seconds(round);
        let key = new_key(folder.path(), &format!("license-{round}"), trust::Usage::License, from, 90);
        text += &entry("license", &key);
        let url = process.url.clone();
        let some = &paid[usize::try_from(round).unwrap() * 4..][..4];
        let told = futures_util::future::join_all(some.iter().map(|event| deliver(&client, &url, event)));
        let (killer, _) = tokio::join!(
            async {
                // The file is in place, and the portal is killed before, in or after it reads it again.
                write(&config, &text);
                hang_up(&process).await;
                tokio::time::sleep(Duration::from_millis(4 * u64::try_from(round).unwrap())).await;
                process.kill().await;
                Process::start(&config).await
            },
            told
        );
        process = killer;
    }
    for event in &paid {
        assert_eq!(deliver(&client, &process.url, event).await, Some(200));
    }
    process.kill().await;
    let config = Config::load(Some(&config)).unwrap();
    let clock = std::sync::Arc::new(portal::clock::SystemClock);
    let app = portal::serve::open(config, clock).await.unwrap();
    let list = app.licensing.list(&portal::ctx::Ctx::operator(), org.parse().unwrap()).await.unwrap();
    assert_eq!(list.len(), 1);
    let store = trust::TrustStore::built_in();
    let (mut host, mut signers) = (LicenseSet::default(), Vec::new());
    for (n, edition) in list[0].editions.iter().rev().enumerate() {
        assert_eq!(edition.edition, i32::try_from(n).unwrap() + 1);
        let expected = if n == 0 { Installed::New } else { Installed::Renewed };
        assert_eq!(host.install(&edition.token, &store, None), Ok(expected));
        signers.push(License::verify(&edition.token, &store).unwrap().signer().subject.clone());
    }
    // What was paid is licensed, and the last key in the file signed last.
    let claims = host.iter().next().unwrap().claims();
    assert_eq!(claims.exp.unwrap().timestamp(), now + 25 * MONTH);
    assert_eq!(signers.last().map(String::as_str), Some("license-5"), "{signers:?}");
    app.stop().await;
}

/// SIGHUP: the keys are to be read again.
async fn hang_up(process: &Process) {
    let id = process.child.id().unwrap().to_string();
    let sent = Command::new("kill").args(["-HUP", &id]).status().await.unwrap();
    assert!(sent.success());
}

#[tokio::test]
async fn killed_while_it_begins_checkouts_it_begins_each_once() {
    let (stand_in, stripe) = StandIn::start().await;
    let folder = tempfile::tempdir().unwrap();
    let config = configure(folder.path(), &stripe);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::new();
    let mut process = Process::start(&config).await;
    let body = json!({"email": "m@example.org", "name": "M", "password": PASSWORD, "organisation": "M"});
    let made = client.post(format!("{}/api/v1/sign-up", process.url)).json(&body).send().await.unwrap();
    let cookie = made.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let own = client.get(format!("{}/api/v1/organisations", process.url)).header("cookie", &cookie);
    let own: Value = own.send().await.unwrap().json().await.unwrap();
    let org = own["items"][0]["id"].as_str().unwrap().to_owned();
    let orders = format!("/api/v1/organisations/{org}/orders");
    let post = async |url: &str, path: &str, body: Value| -> Option<(u16, Value)> {
        let request = client.post(format!("{url}{path}")).header("cookie", &cookie).json(&body);
        let answer = request.send().await.ok()?;
        Some((answer.status().as_u16(), answer.json().await.ok()?))
    };
    let mut made = Vec::new();
    for _ in 0..4 {
        let order = post(&process.url, &orders, json!({"plan": "professional-month", "machines": 3})).await;
        made.push(order.unwrap().1["id"].as_str().unwrap().to_owned());
    }
    let checkout = |order: &str| format!("{orders}/{order}/checkout");
    for round in 0..5 {
        let url = process.url.clone();
        let paths: Vec<String> = made.iter().map(|order| checkout(order)).collect();
        let all = paths.iter().map(|path| post(&url, path, Value::Null));
        let (killer, _) = tokio::join!(
            async {
                tokio::time::sleep(Duration::from_millis(3 + 4 * round)).await;
                process.kill().await;
                Process::start(&config).await
            },
            futures_util::future::join_all(all)
        );
        process = killer;
    }
    let mut urls = Vec::new();
    for order in &made {
        let (status, answer) = post(&process.url, &checkout(order), Value::Null).await.unwrap();
        assert_eq!(status, 200, "{answer}");
        urls.push(answer["url"].as_str().unwrap().to_owned());
    }
    // However often it was asked, Stripe made one session for each order.
    urls.sort();
    urls.dedup();
    assert_eq!(urls.len(), made.len());
    assert_eq!(stand_in.sessions(), made.len());
    process.kill().await;
}
