//! Distribution: read by the client that hosts use, over HTTP.

use std::{path::Path, sync::Arc};

use chrono::{DateTime, Duration, Utc};
use distribution::{
    Client, Fetched, Limits, Location, Repository, Transport, TransportError, built_in_root, bundle,
    consistent_name,
};
use futures_util::{FutureExt, StreamExt, TryStreamExt, future::BoxFuture};
use licenses::{HostProof, License, SignedRequest};
use portal::{
    clock::SystemClock,
    config::Config,
    ctx::Ctx,
    releases::Channel,
    tuf::{Role, Rotation, TufError},
};
use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;
use trust::TrustStore;

use crate::{
    crash::{Process, command, configure, publish},
    hosts::{TestHost, token},
    portal::{Customer, TARGET, TestPortal, package, send},
};

/// The portal over HTTP, as a host or as nobody.
struct Http<'a> {
    client: reqwest::Client,
    url: String,
    host: Option<(&'a TestHost, DateTime<Utc>)>,
}

impl<'a> Http<'a> {
    fn of(portal: &TestPortal, host: Option<&'a TestHost>) -> Self {
        let host = host.map(|host| (host, portal.now()));
        Self { client: portal.client.clone(), url: portal.url(""), host }
    }
}

impl Transport for Http<'_> {
    fn fetch<'b>(
        &'b self,
        location: Location<'b>,
        from: u64,
    ) -> BoxFuture<'b, Result<Fetched, TransportError>> {
        let path = match location {
            Location::Metadata(name) => format!("/tuf/metadata/{name}"),
            Location::Target(name) => format!("/tuf/targets/{name}"),
        };
        let mut request = self.client.get(format!("{}{path}", self.url));
        if let Some((host, now)) = &self.host {
            request = request.header("authorization", proof(host, &path, *now));
        }
        if from > 0 {
            request = request.header("range", format!("bytes={from}-"));
        }
        async move {
            let answer = request.send().await.map_err(|e| TransportError::Failed(e.into()))?;
            match answer.status().as_u16() {
                404 => return Err(TransportError::NotFound),
                200 | 206 => {}
                _ => {
                    let body: serde_json::Value = answer.json().await.unwrap_or_default();
                    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
                    return Err(TransportError::Refused { code: text("code"), detail: text("detail") });
                }
            }
            let from = if answer.status() == 206 { from } else { 0 };
            let body = answer.bytes_stream().map_err(|e| TransportError::Failed(e.into())).boxed();
            Ok(Fetched { from, body })
        }
        .boxed()
    }
}

fn proof(host: &TestHost, path: &str, now: DateTime<Utc>) -> String {
    let request = SignedRequest { method: "GET", target: path, body: SignedRequest::digest(b"") };
    HostProof::sign(&host.key, &host.token, &request, now)
}

fn client(folder: &Path, now: DateTime<Utc>) -> Client {
    Client::new(built_in_root().unwrap(), folder.join("trusted"), now)
}

async fn distributed(portal: &TestPortal) -> bool {
    portal.portal.app.tuf.bring_up_to_date(&Ctx::operator()).await.unwrap()
}

async fn refresh(portal: &TestPortal, folder: &TempDir) -> Repository {
    distributed(portal).await;
    let client = client(folder.path(), portal.now());
    let repository = client.refresh(&Http::of(portal, None)).await.unwrap_or_else(|e| panic!("{e}"));
    assert!(repository.broken().is_empty(), "{:?}", repository.broken());
    repository
}

fn listed(repository: &Repository) -> Vec<String> {
    let names = repository.releases().iter();
    names.map(|l| format!("{} {} {}", l.release.engine, l.release.version, l.release.channel)).collect()
}

#[tokio::test]
async fn what_is_published_is_distributed_to_everybody() {
    let portal = TestPortal::start().await;
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(listed(&refresh(&portal, &folder).await), [""; 0]);
    portal.publish("pro", "1.0.0", "professional").await;
    portal.publish("pro", "1.1.0", "professional").await;
    portal.publish("open", "0.1.0", "free").await;
    let first = refresh(&portal, &folder).await;
    assert_eq!(listed(&first), ["open 0.1.0 stable", "pro 1.0.0 stable", "pro 1.1.0 stable"]);
    let release = &first.releases()[1].release;
    assert_eq!(
        (release.publisher.as_str(), release.tier.as_str()),
        ("DEVELOPMENT ONLY publisher", "professional")
    );
    assert_eq!((release.entitlement.as_deref(), release.notes.as_str()), (Some("pro"), "# Notes\n"));
    assert!(
        release.requires["host"].is_string() || release.requires["host"].is_null(),
        "{}",
        release.requires
    );

    let app = &portal.portal.app;
    let operator = Ctx::operator();
    app.releases.yank(&operator, "pro", &"1.0.0".parse().unwrap(), "bad").await.unwrap();
    app.releases.set_channel(&operator, "open", &"0.1.0".parse().unwrap(), Channel::Beta).await.unwrap();
    let staff = portal.staff("vera").await;
    let floor =
        portal.call(Method::PUT, "/api/v1/vendor/floors/pro", &staff, json!({"version": "1.1.0"})).await;
    assert!(floor.status.is_success(), "{}", floor.text);
    let second = refresh(&portal, &folder).await;
    assert_eq!(listed(&second), ["open 0.1.0 beta", "pro 1.1.0 stable"]);
    let http = Http::of(&portal, None);
    assert_eq!(second.floors(&http).await.unwrap()["pro"].to_string(), "1.1.0");
    assert_eq!(second.advisories(&http).await.unwrap(), []);
    // A floor is in the revocation list too, which is therefore there now.
    let list = second.revocations(&http).await.unwrap().unwrap();
    assert!(TrustStore::built_in().apply_revocations(&list).is_ok());
    app.releases.unyank(&operator, "pro", &"1.0.0".parse().unwrap()).await.unwrap();
    assert_eq!(listed(&refresh(&portal, &folder).await).len(), 3);
}

#[tokio::test]
async fn an_advisory_reaches_hosts_by_itself() {
    let portal = TestPortal::start().await;
    let folder = tempfile::tempdir().unwrap();
    portal.publish("pro", "1.0.0", "professional").await;
    refresh(&portal, &folder).await;
    let staff = portal.staff("vera").await;
    let says = json!({"engine": "pro", "versions": "<1.0.1", "severity": "high", "title": "It leaks",
        "detail": "Update.", "fixed_in": "1.0.1"});
    let made = portal.post("/api/v1/vendor/advisories", &staff, says).await;
    assert!(made.status.is_success(), "{}", made.text);
    // Nobody asks for an edition here: the portal makes one when something changes.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let http = Http::of(&portal, None);
    loop {
        let repository = client(folder.path(), portal.now()).refresh(&http).await.unwrap();
        let advisories = repository.advisories(&http).await.unwrap();
        if let [advisory] = advisories.as_slice() {
            assert_eq!((advisory.engine.as_str(), advisory.severity.as_str()), ("pro", "high"));
            assert_eq!(advisory.id, made.body["id"].as_str().unwrap());
            return;
        }
        assert!(std::time::Instant::now() < deadline, "no edition was made");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn what_stays_the_same_is_signed_anew_only_in_time() {
    let portal = TestPortal::start().await;
    let folder = tempfile::tempdir().unwrap();
    portal.publish("pro", "1.0.0", "professional").await;
    distributed(&portal).await;
    assert!(!distributed(&portal).await);
    let version = refresh(&portal, &folder).await.version();
    portal.clock.advance(Duration::hours(11));
    assert!(!distributed(&portal).await);
    portal.clock.advance(Duration::hours(2));
    assert!(distributed(&portal).await);
    assert_eq!(refresh(&portal, &folder).await.version(), version, "only the timestamp is new");
    for _ in 0..40 {
        portal.clock.advance(Duration::days(2));
        distributed(&portal).await;
        refresh(&portal, &folder).await;
    }
}

async fn shop() -> (TestPortal, Customer, TestHost, Vec<u8>) {
    let portal = TestPortal::start().await;
    let mut library = vec![0u8; 300_000];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut library).unwrap();
    let file = portal.package("pro", "1.0.0", "professional", &[TARGET], &library);
    portal.publish_file(&file).await.unwrap();
    portal.publish("max", "1.0.0", "enterprise").await;
    let customer = portal.customer("marta").await;
    portal.buy(&customer, "professional-month", 5).await;
    let host = TestHost::with(&token(&portal, &customer).await);
    (portal, customer, host, std::fs::read(file).unwrap())
}

async fn save(
    repository: &Repository,
    transport: &dyn Transport,
    engine: &str,
    folder: &Path,
    from: &[u8],
) -> Result<Vec<u8>, distribution::DistributionError> {
    let path = repository.releases().iter().find(|l| l.release.engine == engine).unwrap().path.clone();
    let at = folder.join("package");
    std::fs::write(&at, from).unwrap();
    let mut file = tokio::fs::File::options().read(true).write(true).open(&at).await.unwrap();
    repository.save(transport, &path, &mut file, from.len() as u64, |_| {}).await?;
    Ok(std::fs::read(at).unwrap())
}

#[tokio::test]
async fn a_host_downloads_what_its_licence_grants() {
    let (portal, _, host, published) = shop().await;
    let folder = tempfile::tempdir().unwrap();
    let repository = refresh(&portal, &folder).await;
    let http = Http::of(&portal, Some(&host));
    assert!(save(&repository, &http, "pro", folder.path(), b"").await.unwrap() == published);
    let resumed = save(&repository, &http, "pro", folder.path(), &published[..100_000]).await.unwrap();
    assert!(resumed == published);
    let refused = save(&repository, &http, "max", folder.path(), b"").await.unwrap_err();
    let code = |error: distribution::DistributionError| match error {
        distribution::DistributionError::Unreachable {
            source: TransportError::Refused { code, .. }, ..
        } => code,
        other => panic!("{other}"),
    };
    assert_eq!(code(refused), "license_required");
    let nobody = Http::of(&portal, None);
    assert_eq!(
        code(save(&repository, &nobody, "pro", folder.path(), b"").await.unwrap_err()),
        "unauthenticated"
    );
    portal.clock.advance(Duration::days(60));
    let late = Http::of(&portal, Some(&host));
    assert_eq!(
        code(save(&repository, &late, "pro", folder.path(), b"").await.unwrap_err()),
        "license_required"
    );
}

#[tokio::test]
async fn people_download_by_the_licences_of_their_organisations() {
    let (portal, customer, host, published) = shop().await;
    let folder = tempfile::tempdir().unwrap();
    let repository = refresh(&portal, &folder).await;
    let url = |engine: &str| {
        let listed = repository.releases().iter().find(|l| l.release.engine == engine).unwrap();
        let sum = data_encoding::HEXLOWER.decode(listed.sha256.as_bytes()).unwrap();
        format!("/tuf/targets/{}", consistent_name(&listed.path, &sum))
    };
    let (pro, max) = (url("pro"), url("max"));
    let got = portal.request(Method::GET, &pro, &customer.cookie).send().await.unwrap();
    assert_eq!(got.status(), 200);
    assert!(got.bytes().await.unwrap() == published);
    portal.get(&max, &customer.cookie).await.problem(402, "license_required");
    let other = portal.customer("other").await;
    portal.get(&pro, &other.cookie).await.problem(402, "license_required");
    portal.get(&pro, "").await.problem(401, "unauthenticated");
    // Billing may not download; somebody without an organisation has nothing to download with.
    let billing = portal.member(&customer, "billing", "billing").await;
    portal.get(&pro, &billing).await.problem(403, "forbidden");
    let alone = portal.sign_up("alone", None).await;
    portal.get(&pro, &alone).await.problem(404, "not_found");
    // Another digest than that of the release, other targets, a proof of another path.
    let forged = pro.replace(pro.rsplit('/').next().unwrap().split('.').next().unwrap(), &"0".repeat(64));
    portal.get(&forged, &customer.cookie).await.problem(404, "not_found");
    for path in
        ["/tuf/targets/engines/pro/1.0.0/x.engine", "/tuf/targets/nothing", "/tuf/metadata/9.root.json"]
    {
        portal.get(path, &customer.cookie).await.problem(404, "not_found");
    }
    let misused =
        portal.request(Method::GET, &max, "").header("authorization", proof(&host, &pro, portal.now()));
    send(misused).await.problem(401, "host_proof_refused");
    // A version that was withdrawn since the last refresh.
    let operator = Ctx::operator();
    portal.portal.app.releases.yank(&operator, "pro", &"1.0.0".parse().unwrap(), "bad").await.unwrap();
    portal.get(&pro, &customer.cookie).await.problem(410, "yanked");
}

fn new_key(folder: &Path, name: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, license_issuer::generate_key().unwrap().as_bytes()).unwrap();
    path.display().to_string()
}

fn rotation(role: Role, key_files: &[&String]) -> Rotation {
    let key_files = key_files.iter().map(|file| (*file).clone()).collect();
    Rotation { role, key_files, threshold: None, root_key_files: Vec::new() }
}

#[tokio::test]
async fn roles_change_their_keys_and_hosts_follow() {
    let keys = tempfile::tempdir().unwrap();
    let [timestamp, snapshot, targets, root] =
        ["timestamp", "snapshot", "targets", "root"].map(|name| new_key(keys.path(), name));
    // The new keys are configured beside those of now before a root names them.
    let portal = TestPortal::start_with(|config| {
        let old =
            |name| format!("{}/../licenses/development-keys/tuf-{name}.pem", env!("CARGO_MANIFEST_DIR"));
        config.distribution.timestamp_key_files = vec![old("timestamp"), timestamp.clone()];
        config.distribution.snapshot_key_files = vec![old("snapshot"), snapshot.clone()];
        config.distribution.targets_key_files = vec![old("targets"), targets.clone()];
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    portal.publish("pro", "1.0.0", "professional").await;
    refresh(&portal, &folder).await;
    let tuf = &portal.portal.app.tuf;
    let operator = Ctx::operator();
    for (role, key, version) in [
        (Role::Timestamp, &timestamp, 2),
        (Role::Snapshot, &snapshot, 3),
        (Role::Targets, &targets, 4),
        (Role::Root, &root, 5),
    ] {
        let rotated = tuf.rotate(&operator, &rotation(role, &[key])).await.unwrap();
        assert_eq!(rotated.version, version);
        assert_eq!(listed(&refresh(&portal, &folder).await), ["pro 1.0.0 stable"]);
        assert!(!distributed(&portal).await, "everything was signed with the root");
    }
    // The development key is the root's no more: without the new one nothing is signed.
    let refused = tuf.rotate(&operator, &rotation(Role::Root, &[])).await;
    assert!(matches!(refused, Err(TufError::Publish(_))), "{refused:?}");
    let mut again = rotation(Role::Root, &[]);
    again.root_key_files = vec![root.clone()];
    assert_eq!(tuf.rotate(&operator, &again).await.unwrap().version, 6);
    let refused = tuf.rotate(&operator, &rotation(Role::Targets, &[])).await;
    assert!(matches!(refused, Err(TufError::Invalid("key_file", _))), "{refused:?}");
    let visitor = Ctx::new(portal::ctx::Actor::Visitor, "visitor", String::new());
    assert!(matches!(tuf.rotate(&visitor, &again).await, Err(TufError::Forbidden(_))));
    refresh(&portal, &folder).await;
    // A host that knows the first root only.
    refresh(&portal, &tempfile::tempdir().unwrap()).await;
}

#[tokio::test]
async fn a_bundle_holds_what_an_organisation_may_have() {
    let (portal, customer, _, published) = shop().await;
    distributed(&portal).await;
    let folder = tempfile::tempdir().unwrap();
    let path = format!("/api/v1/organisations/{}/bundle", customer.org);
    let got = portal.request(Method::GET, &path, &customer.cookie).send().await.unwrap();
    assert_eq!(got.status(), 200);
    let file = folder.path().join("marta.bundle");
    std::fs::write(&file, got.bytes().await.unwrap()).unwrap();
    let bundle = bundle::open(&file, &Limits::default()).await.unwrap();
    assert_eq!(bundle.about().organisation, "marta");
    let license = License::verify(&bundle.licenses()[0], &TrustStore::built_in()).unwrap();
    assert_eq!(license.claims().organisation, "marta");
    let client = client(folder.path(), portal.now() + Duration::days(10)).with_patience(Duration::days(30));
    let repository = client.refresh(&bundle).await.unwrap();
    assert!(save(&repository, &bundle, "pro", folder.path(), b"").await.unwrap() == published);
    assert!(save(&repository, &bundle, "max", folder.path(), b"").await.is_err(), "no licence grants it");
    assert!(repository.floors(&bundle).await.unwrap().is_empty());
    // For other people and other wishes.
    let none = portal.get(&format!("{path}?targets=riscv64"), &customer.cookie).await;
    assert_eq!(none.status, 200);
    let wrong = portal.get(&format!("{path}?engines=pro,max"), &customer.cookie).await;
    wrong.problem(422, "invalid");
    let other = portal.customer("other").await;
    portal.get(&path, &other.cookie).await.problem(404, "not_found");
}

#[tokio::test]
async fn killed_while_it_rotates_and_publishes_it_serves_one_edition() {
    let folder = tempfile::tempdir().unwrap();
    let config = configure(folder.path(), "http://127.0.0.1:9");
    let old = |name| format!("{}/../licenses/development-keys/tuf-{name}.pem", env!("CARGO_MANIFEST_DIR"));
    let next = new_key(folder.path(), "next.pem");
    let mut changed = Config::load(Some(&config)).unwrap();
    changed.distribution.timestamp_key_files = vec![old("timestamp"), next.clone()];
    std::fs::write(&config, toml::to_string(&changed).unwrap()).unwrap();
    let file =
        |version: &str| package(folder.path(), Utc::now(), ("pro", version, "professional"), &[TARGET], b"x");
    assert!(publish(&config, &file("1.0.0")).await.success());
    let client = client(folder.path(), Utc::now());
    let mut versions = Vec::new();
    for round in 0..6u64 {
        let process = Process::start(&config).await;
        let package = file(&format!("1.0.{}", round + 1));
        let key = if round % 2 == 0 { &next } else { &old("timestamp") };
        let rotate = command(&config).args(["tuf", "rotate", "timestamp", "--key-file", key]).output();
        let (rotated, published, ()) = tokio::join!(
            async {
                tokio::time::timeout(std::time::Duration::from_millis(30 + 40 * round), rotate).await.is_ok()
            },
            async {
                let work = publish(&config, &package);
                tokio::time::timeout(std::time::Duration::from_millis(40 + 40 * round), work).await.is_ok()
            },
            async {
                tokio::time::sleep(std::time::Duration::from_millis(20 + 40 * round)).await;
                process.kill().await;
            }
        );
        // Whatever was cut off where, the next portal serves an edition that fits together, and no older one.
        let process = Process::start(&config).await;
        let http = Http { client: reqwest::Client::new(), url: process.url.clone(), host: None };
        let repository = client.refresh(&http).await.unwrap_or_else(|e| panic!("{rotated} {published}: {e}"));
        assert!(repository.broken().is_empty());
        versions.push(repository.version());
        process.kill().await;
    }
    assert!(versions.is_sorted(), "{versions:?}");
    let app = portal::serve::open(Config::load(Some(&config)).unwrap(), Arc::new(SystemClock)).await.unwrap();
    app.tuf.bring_up_to_date(&Ctx::operator()).await.unwrap();
    let releases = app.releases.list_all(&Ctx::operator()).await.unwrap();
    app.stop().await;
    let process = Process::start(&config).await;
    let http = Http { client: reqwest::Client::new(), url: process.url.clone(), host: None };
    let repository = client.refresh(&http).await.unwrap();
    assert_eq!(repository.releases().len(), releases.len());
    process.kill().await;
}

#[tokio::test]
async fn a_vendor_begins_with_keys_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let [root, timestamp, snapshot, targets, publisher] =
        ["root", "timestamp", "snapshot", "targets", "publisher"].map(|name| new_key(folder.path(), name));
    let second = new_key(folder.path(), "second");
    let mut config = Config { data_dir: folder.path().join("data"), ..Config::default() };
    config.distribution.root_key_files = vec![root, second];
    config.distribution.timestamp_key_files = vec![timestamp];
    config.distribution.snapshot_key_files = vec![snapshot];
    config.distribution.targets_key_files = vec![targets];
    config.distribution.publisher_key_files = vec![publisher];
    let file = folder.path().join("portal.toml");
    std::fs::write(&file, toml::to_string(&config).unwrap()).unwrap();
    let out = folder.path().join("root.json");
    let begin = async |threshold: &str| {
        let arguments = ["tuf", "first-root", "--threshold", threshold, "--out"];
        command(&file).args(arguments).arg(&out).output().await.unwrap().status.success()
    };
    assert!(!begin("3").await, "there are two keys");
    assert!(begin("2").await);
    assert!(!begin("2").await, "the file is there");
    let first = std::fs::read(&out).unwrap();

    let distribution = config.distribution.clone();
    let portal = TestPortal::start_with(|config| {
        config.distribution = distribution;
        config.distribution.root_file = out.display().to_string();
    })
    .await;
    portal.publish("pro", "1.0.0", "professional").await;
    distributed(&portal).await;
    let client = Client::new(first, folder.path().join("trusted"), portal.now());
    let http = Http::of(&portal, None);
    assert_eq!(listed(&client.refresh(&http).await.unwrap()), ["pro 1.0.0 stable"]);
    // Both keys sign the next root too.
    let tuf = &portal.portal.app.tuf;
    assert_eq!(tuf.rotate(&Ctx::operator(), &rotation(Role::Root, &[])).await.unwrap().version, 2);
    client.refresh(&http).await.unwrap();
    // Who trusts the development root believes nothing of it.
    let other = crate::tuf::client(&folder.path().join("other"), portal.now());
    assert_eq!(other.refresh(&http).await.err().map(|e| e.code()), Some("wrong_key"));
    assert_eq!(tuf.warning().await.unwrap(), None);
    portal.clock.advance(Duration::days(320));
    assert!(tuf.warning().await.unwrap().unwrap().contains("root 2 expires"));
}

#[tokio::test]
async fn the_operator_writes_a_bundle_beside_the_portal() {
    let folder = tempfile::tempdir().unwrap();
    let config = configure(folder.path(), "http://127.0.0.1:9");
    let free = package(folder.path(), Utc::now(), ("open", "1.0.0", "free"), &[TARGET], b"library");
    assert!(publish(&config, &free).await.success());
    let process = Process::start(&config).await;
    let client = reqwest::Client::new();
    let body = json!({"email": "m@example.org", "name": "M", "password": crate::portal::PASSWORD, "organisation": "M"});
    let made = client.post(format!("{}/api/v1/sign-up", process.url)).json(&body).send().await.unwrap();
    let cookie = made.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let own = client.get(format!("{}/api/v1/organisations", process.url)).header("cookie", cookie);
    let own: serde_json::Value = own.send().await.unwrap().json().await.unwrap();
    let org = own["items"][0]["id"].as_str().unwrap().to_owned();
    let out = folder.path().join("m.bundle");
    let bundle = async |organisation: &str, engines: &str| {
        let mut command = command(&config);
        command.args(["bundle", "--organisation", organisation, "--engines", engines, "--out"]).arg(&out);
        command.output().await.unwrap().status.success()
    };
    assert!(!bundle(&org, "other").await);
    assert!(!out.exists(), "a part of a bundle is of no use");
    assert!(!bundle(&uuid::Uuid::nil().to_string(), "open").await);
    assert!(bundle(&org, "open").await);
    let read = bundle::open(&out, &Limits::default()).await.unwrap();
    let repository = crate::tuf::client(folder.path(), Utc::now()).refresh(&read).await.unwrap();
    let saved = save(&repository, &read, "open", folder.path(), b"").await.unwrap();
    assert!(saved == std::fs::read(free).unwrap());
    process.kill().await;
}
