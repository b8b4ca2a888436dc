//! The marketplace over a real repository, served over HTTP: what the host believes, and what becomes of broken downloads.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderMap, Response, StatusCode},
    routing::get,
};
use chrono::{TimeDelta, Utc};
use distribution::{
    consistent_name, engine_path,
    publish::{
        Contents, Current, Lifetimes, OnlineKeys, PublicKey, PublishError, Publisher, RoleKeys, RootBody,
        SignKey, TargetFile, edition, first_root, publisher_role,
    },
};
use licenses::{HostProof, SignedRequest};
use ring::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair},
};
use serde_json::{Value, json};

use crate::host::{Answer, TestHost, send};

struct Key(Ed25519KeyPair);

impl Key {
    fn new() -> Self {
        let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self(Ed25519KeyPair::from_pkcs8(pair.as_ref()).unwrap())
    }
}

impl SignKey for Key {
    fn public_key(&self) -> PublicKey {
        self.0.public_key().as_ref().try_into().unwrap()
    }

    fn sign(&self, bytes: &[u8]) -> Result<[u8; 64], PublishError> {
        Ok(self.0.sign(bytes).as_ref().try_into().unwrap())
    }
}

/// How the portal answers a request for a package.
#[derive(Clone, Copy, PartialEq)]
enum Gives {
    /// All of it.
    Whole,
    /// So many bytes, then the connection breaks.
    Cut(usize),
    /// Other bytes.
    Other,
    /// More than was signed.
    Endless,
    /// 402 with a reason.
    Refuses,
    /// 503.
    Busy,
    /// The way to another computer.
    Elsewhere,
}

/// A portal in memory.
struct Portal {
    root: Vec<u8>,
    keys: OnlineKeys,
    contents: Mutex<Contents>,
    current: Mutex<Current>,
    files: Mutex<BTreeMap<String, Vec<u8>>>,
    gives: Mutex<Vec<Gives>>,
    /// `Range` and `Authorization` of each request for a package.
    asked: Mutex<Vec<(Option<String>, Option<String>)>>,
}

impl Portal {
    async fn start() -> (Arc<Self>, String) {
        let [root, timestamp, snapshot, targets, publishers] = std::array::from_fn(|_| Key::new());
        let any = |key: &Key| RoleKeys::any_of([key.public_key()]);
        let body = RootBody {
            root: any(&root),
            timestamp: any(&timestamp),
            snapshot: any(&snapshot),
            targets: any(&targets),
        };
        let root = first_root(&body, Utc::now() + TimeDelta::days(365), &[&root]).unwrap();
        let portal = Arc::new(Self {
            root,
            keys: OnlineKeys {
                timestamp: vec![Box::new(timestamp)],
                snapshot: vec![Box::new(snapshot)],
                targets: vec![Box::new(targets)],
                publishers: vec![Box::new(publishers)],
            },
            contents: Mutex::default(),
            current: Mutex::default(),
            files: Mutex::default(),
            gives: Mutex::default(),
            asked: Mutex::default(),
        });
        let router = Router::new()
            .route("/tuf/metadata/{name}", get(metadata))
            .route("/tuf/targets/{*name}", get(target))
            .with_state(portal.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (portal, url)
    }

    /// Publish these versions of an engine, and nothing else.
    fn publish(&self, engine: &str, versions: &[&str]) {
        let mut files = self.files.lock().unwrap();
        let mut targets = Vec::new();
        for version in versions {
            let bytes = format!("the package of {engine} {version}, which is none").repeat(100).into_bytes();
            let path = engine_path(engine, &version.parse().unwrap(), plugin_runtime::TARGET);
            let sha256: [u8; 32] = digest(&SHA256, &bytes).as_ref().try_into().unwrap();
            let custom = json!({"engine": engine, "version": version, "channel": "stable",
                "target": plugin_runtime::TARGET, "name": engine, "description": "Does things.",
                "publisher": "vendor", "tier": "free", "requires": {"api": "*", "host": "*", "agent": "*"},
                "notes": "", "built_at": Utc::now(), "published_at": Utc::now()});
            files.insert(format!("targets/{}", consistent_name(&path, &sha256)), bytes.clone());
            targets.push(TargetFile { path, length: bytes.len() as u64, sha256, custom });
        }
        let publisher = Publisher { role: publisher_role("vendor"), engines: vec![engine.into()], targets };
        *self.contents.lock().unwrap() = Contents { targets: Vec::new(), publishers: vec![publisher] };
        let contents = self.contents.lock().unwrap();
        let mut current = self.current.lock().unwrap();
        let new =
            edition(&self.root, &current, &contents, &self.keys, Utc::now(), &Lifetimes::default()).unwrap();
        files.insert("metadata/1.root.json".into(), self.root.clone());
        for (role, bytes) in new.roles {
            files.insert(format!("metadata/{}", new.files[&role]), bytes.clone());
            current.insert(role, bytes);
        }
    }

    fn file(&self, name: &str) -> Option<Vec<u8>> {
        self.files.lock().unwrap().get(name).cloned()
    }

    fn gives(&self, gives: &[Gives]) {
        *self.gives.lock().unwrap() = gives.iter().rev().copied().collect();
    }
}

async fn metadata(State(portal): State<Arc<Portal>>, Path(name): Path<String>) -> Response<Body> {
    match portal.file(&format!("metadata/{name}")) {
        Some(bytes) => Response::new(bytes.into()),
        None => status(StatusCode::NOT_FOUND, Body::empty()),
    }
}

fn status(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

async fn target(
    State(portal): State<Arc<Portal>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    portal.asked.lock().unwrap().push((header("range"), header("authorization")));
    let Some(bytes) = portal.file(&format!("targets/{name}")) else {
        return status(StatusCode::NOT_FOUND, Body::empty());
    };
    let from =
        header("range").and_then(|r| r.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
    let rest = bytes[from.unwrap_or(0)..].to_vec();
    let gives = portal.gives.lock().unwrap().pop().unwrap_or(Gives::Whole);
    let body = match gives {
        Gives::Whole => Body::from(rest),
        Gives::Cut(n) => {
            let piece = Bytes::from(rest[..n].to_vec());
            // A server that fails at once sends nothing of what it had.
            let pieces = futures_util::stream::unfold(Some(piece), async |piece| match piece {
                Some(piece) => Some((Ok(piece), None)),
                None => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    Some((Err(std::io::Error::other("cut")), None))
                }
            });
            Body::from_stream(pieces)
        }
        Gives::Other => Body::from(vec![b'x'; rest.len()]),
        Gives::Endless => Body::from_stream(futures_util::stream::repeat_with(|| {
            Ok::<_, std::io::Error>(Bytes::from_static(&[7; 4096]))
        })),
        Gives::Refuses => {
            let problem =
                json!({"code": "license_required", "reason": "expired", "detail": "The licence has ended."});
            return status(StatusCode::PAYMENT_REQUIRED, problem.to_string().into());
        }
        Gives::Busy => return status(StatusCode::SERVICE_UNAVAILABLE, "busy".into()),
        Gives::Elsewhere => {
            let mut moved = status(StatusCode::FOUND, Body::empty());
            moved.headers_mut().insert("location", "https://elsewhere.example.org/x".parse().unwrap());
            return moved;
        }
    };
    match from {
        Some(from) => {
            let mut part = status(StatusCode::PARTIAL_CONTENT, body);
            let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
            part.headers_mut().insert("content-range", range.parse().unwrap());
            part
        }
        None => Response::new(body),
    }
}

/// A host of a portal that publishes `disk_care` 1.0.0, which it has seen.
async fn market() -> (TestHost, Arc<Portal>, String) {
    let (portal, url) = Portal::start().await;
    portal.publish("disk_care", &["1.0.0"]);
    let root = portal.root.clone();
    let host = TestHost::start_with(|config| {
        let file = config.data_dir.with_file_name("root.json");
        std::fs::write(&file, root).unwrap();
        config.marketplace.root_file = file.to_string_lossy().into_owned();
        config.marketplace.url = url;
    })
    .await;
    let admin = host.admin().await;
    let looked = look(&host, &admin).await;
    assert_eq!(looked.status, 200, "{}", looked.body);
    (host, portal, admin)
}

async fn look(host: &TestHost, token: &str) -> Answer {
    host.post("/api/v1/marketplace/-/refresh", token, Value::Null).await
}

/// Begin an installation, and wait for its end.
async fn install(host: &TestHost, token: &str) -> Value {
    let begun = host.post("/api/v1/marketplace/engines/disk_care/install", token, json!({})).await;
    assert_eq!(begun.status, 202, "{}", begun.body);
    let ended = async {
        loop {
            let list = host.get("/api/v1/marketplace/downloads", token).await.body;
            if ["done", "failed"].iter().any(|s| list["items"][0]["state"] == *s) {
                return list["items"][0].clone();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), ended).await.unwrap()
}

#[tokio::test]
async fn a_signed_catalogue_is_seen_and_its_package_comes_whole() {
    let (host, portal, admin) = market().await;
    let status = host.get("/api/v1/marketplace", &admin).await.body;
    assert_eq!((&status["problem"], &status["broken"]), (&Value::Null, &json!([])), "{status}");
    assert!(status["expires_at"].is_string());
    let offer = host.get("/api/v1/marketplace/engines/disk_care", &admin).await.body;
    assert_eq!((&offer["newest"], &offer["compatible"]["ok"]), (&json!("1.0.0"), &json!(true)), "{offer}");
    let size = offer["versions"][0]["size"].as_u64().unwrap();
    portal.gives(&[Gives::Cut(10), Gives::Busy, Gives::Cut(90)]);
    let end = install(&host, &admin).await;
    // Every byte came as it was signed: what is wrong with the package is found where an upload's would be.
    assert_eq!(
        (&end["error"]["code"], &end["error"]["reason"]),
        (&json!("package_refused"), &json!("malformed_archive")),
        "{end}"
    );
    assert_eq!(end["received"], size);
    let ranges: Vec<_> = portal.asked.lock().unwrap().iter().map(|(range, _)| range.clone()).collect();
    let at = |n: u32| Some(format!("bytes={n}-"));
    assert_eq!(ranges, [None, at(10), at(10), at(100)]);
}

#[tokio::test]
async fn what_is_not_what_was_signed_is_refused_with_its_reason() {
    let (host, portal, admin) = market().await;
    for (gives, code) in
        [(Gives::Other, "target_digest"), (Gives::Endless, "endless_data"), (Gives::Elsewhere, "redirected")]
    {
        portal.gives(&[gives]);
        let end = install(&host, &admin).await;
        assert_eq!(end["error"]["code"], code, "{end}");
    }
    portal.gives(&[Gives::Refuses]);
    let end = install(&host, &admin).await;
    assert_eq!(
        (&end["error"]["code"], &end["error"]["reason"]),
        (&json!("license_required"), &json!("expired"))
    );
    assert_eq!(end["error"]["detail"], "The licence has ended.");
    assert_eq!(portal.asked.lock().unwrap().len(), 4, "nothing of this is tried again");
    let left = std::fs::read_dir(host.folder.path().join("data/engines/store/.downloads")).unwrap().count();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_catalogue_that_is_older_than_the_one_known_is_refused() {
    let (host, portal, admin) = market().await;
    let old: BTreeMap<_, _> = portal.files.lock().unwrap().clone();
    portal.publish("disk_care", &["1.0.0", "1.1.0"]);
    assert_eq!(look(&host, &admin).await.status, 200);
    *portal.files.lock().unwrap() = old;
    let refused = look(&host, &admin).await;
    refused.problem(502, "portal_failed");
    assert_eq!(refused.body["reason"], "rollback");
    let offer = host.get("/api/v1/marketplace/engines/disk_care", &admin).await.body;
    assert_eq!(offer["newest"], "1.1.0", "what was believed holds");
    let status = host.get("/api/v1/marketplace", &admin).await.body;
    assert_eq!(status["problem"]["code"], "rollback");
}

#[tokio::test]
async fn a_download_is_asked_for_with_the_hosts_proof_where_there_is_a_licence() {
    let (host, portal, admin) = market().await;
    let token = include_str!("../../../licenses/tests/goldens/minimal.v1.jws");
    let answer = send(host.request(reqwest::Method::PUT, "/api/v1/license", &admin).body(token)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    install(&host, &admin).await;
    let asked = portal.asked.lock().unwrap();
    let header = asked[0].1.as_deref().unwrap();
    let name = portal.files.lock().unwrap().keys().find(|f| f.starts_with("targets/")).cloned().unwrap();
    let request =
        SignedRequest { method: "GET", target: &format!("/tuf/{name}"), body: SignedRequest::digest(&[]) };
    let proof = HostProof::verify(header, &request, crate::host::now(&host)).unwrap();
    assert_eq!(proof.license, token.trim());
    assert_eq!(proof.instance, host.host.app.keys.instance.public_key());
}

#[tokio::test]
async fn a_bundle_brings_the_catalogue_and_is_refused_when_it_is_none() {
    let (portal, _) = Portal::start().await;
    portal.publish("disk_care", &["1.0.0"]);
    let root = portal.root.clone();
    let host = TestHost::start_with(|config| {
        let file = config.data_dir.with_file_name("root.json");
        std::fs::write(&file, root).unwrap();
        config.marketplace.root_file = file.to_string_lossy().into_owned();
        config.marketplace.max_bundle_mib = 1;
    })
    .await;
    let admin = host.admin().await;
    let path = "/api/v1/marketplace/-/import";
    let refused = send(host.request(reqwest::Method::POST, path, &admin).body("garbage")).await;
    refused.problem(422, "bundle_refused");
    let large = send(host.request(reqwest::Method::POST, path, &admin).body(vec![0u8; 2 << 20])).await;
    large.problem(422, "bundle_refused");
    assert_eq!(large.body["reason"], "too_large");

    let bundle = bundle(&portal, &[]);
    let imported = send(host.request(reqwest::Method::POST, path, &admin).body(bundle.clone())).await;
    assert_eq!(imported.status, 200, "{}", imported.body);
    let care = &imported.body["engines"][0];
    assert_eq!(
        (&care["engine"], &care["problem"]["code"]),
        (&json!("disk_care"), &json!("package_refused")),
        "{care}"
    );
    let offer = host.get("/api/v1/marketplace/engines/disk_care", &admin).await.body;
    assert_eq!(offer["newest"], "1.0.0", "the catalogue was taken");

    let mut changed = bundle;
    let at = changed.windows(7).rposition(|w| w == b"is none").unwrap();
    changed[at] ^= 1;
    let imported = send(host.request(reqwest::Method::POST, path, &admin).body(changed)).await;
    assert_eq!(imported.body["engines"][0]["problem"]["code"], "target_digest", "{}", imported.body);
}

#[tokio::test]
async fn a_dropped_bundle_is_taken_in_or_listed_with_its_reason() {
    let (host, portal, admin) = market().await;
    let folder = host.folder.path().join("data/engines");
    std::fs::write(folder.join("bad.bundle"), b"garbage").unwrap();
    portal.publish("disk_care", &["1.0.0", "1.2.0"]);
    std::fs::write(folder.join("good.bundle"), bundle(&portal, &[])).unwrap();
    let taken = async {
        loop {
            let list = host.get("/api/v1/engines", &admin).await.body;
            let bad = list["refused"].as_array().unwrap().iter().any(|r| r["file"] == "bad.bundle");
            if bad && !folder.join("good.bundle").exists() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), taken).await.unwrap();
    let offer = host.get("/api/v1/marketplace/engines/disk_care", &admin).await.body;
    assert_eq!(offer["newest"], "1.2.0");
}

#[tokio::test]
async fn licences_of_a_bundle_need_the_permission_for_licences() {
    let (host, portal, admin) = market().await;
    let role = json!({"name": "installer", "permissions": ["engines:*"]});
    assert_eq!(host.post("/api/v1/roles", &admin, role).await.status, 201);
    let installer = host.user(&admin, "ines", &["installer"]).await;
    let token = include_str!("../../../licenses/tests/goldens/minimal.v1.jws").trim();
    let bundle = bundle(&portal, &[token.to_owned()]);
    let path = "/api/v1/marketplace/-/import";
    let refused = send(host.request(reqwest::Method::POST, path, &installer).body(bundle.clone())).await;
    refused.problem(403, "forbidden");
    let imported = send(host.request(reqwest::Method::POST, path, &admin).body(bundle.clone())).await;
    assert_eq!(
        (imported.status.as_u16(), &imported.body["license"]),
        (200, &json!(true)),
        "{}",
        imported.body
    );
    let again = send(host.request(reqwest::Method::POST, path, &admin).body(bundle)).await;
    assert_eq!(again.body["license"], false, "it is here already");
}

/// A bundle of all that the portal has.
fn bundle(portal: &Portal, licenses: &[String]) -> Vec<u8> {
    let about = distribution::bundle::About::new("Marta & Co", Utc::now());
    let mut writer = distribution::bundle::write(Vec::new(), &about, licenses).unwrap();
    for (name, bytes) in portal.files.lock().unwrap().iter() {
        if let Some(name) = name.strip_prefix("metadata/") {
            writer.metadata(name, bytes).unwrap();
        } else {
            let sha256 = data_encoding::HEXLOWER.encode(digest(&SHA256, bytes).as_ref());
            writer.target(&sha256, bytes.len() as u64, bytes.as_slice()).unwrap();
        }
    }
    writer.finish().unwrap()
}
