//! The marketplace over a source that a test steers: what is offered, what is begun, and what becomes of downloads.
//! Verification of a repository is tested over real ones.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{FutureExt, future::BoxFuture};
use reqwest::Method;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use sysmanage::marketplace::{
    Advisory, Asking, Broken, Catalogue, Channel, Progress, Release, Requires, Source, SourceError,
};

use crate::host::{TestHost, config};

/// What one try of a download does.
#[derive(Clone)]
enum Try {
    /// Some bytes, then this.
    Breaks(usize, SourceError),
    /// All bytes.
    Whole,
    /// Nothing, until the test lets it.
    Waits,
}

/// A source that a test steers.
#[derive(Default)]
struct Steered {
    catalogue: Mutex<Catalogue>,
    down: AtomicBool,
    looks: AtomicU32,
    tries: Mutex<Vec<Try>>,
    /// Where each try began.
    began: Mutex<Vec<u64>>,
}

const CONTENT: &[u8] = b"this is no package, whatever the catalogue says of it";

impl Source for Steered {
    fn refresh(&self, _now: DateTime<Utc>) -> BoxFuture<'_, Result<Catalogue, SourceError>> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        async {
            match self.down.load(Ordering::SeqCst) {
                true => Err(SourceError::passing("unreachable", "The portal cannot be reached.")),
                false => Ok(self.catalogue.lock().unwrap().clone()),
            }
        }
        .boxed()
    }

    fn save<'a>(
        &'a self,
        _release: &'a Release,
        _asking: Asking<'a>,
        file: &'a Path,
        progress: &'a Progress<'a>,
    ) -> BoxFuture<'a, Result<(), SourceError>> {
        let next = self.tries.lock().unwrap().pop().unwrap_or(Try::Whole);
        async move {
            let mut there = std::fs::read(file).unwrap_or_default();
            self.began.lock().unwrap().push(there.len() as u64);
            let (more, then) = match next {
                Try::Breaks(more, error) => (more, Err(error)),
                Try::Whole => (CONTENT.len(), Ok(())),
                Try::Waits => {
                    std::fs::write(file, &CONTENT[..7]).unwrap();
                    progress(7);
                    return std::future::pending().await;
                }
            };
            let end = (there.len() + more).min(CONTENT.len());
            there.extend_from_slice(&CONTENT[there.len()..end]);
            std::fs::write(file, &there).unwrap();
            progress(there.len() as u64);
            then
        }
        .boxed()
    }
}

fn release(engine: &str, version: &str) -> Release {
    Release {
        path: format!("engines/{engine}/{version}/{}.engine", plugin_runtime::TARGET),
        engine: engine.into(),
        version: version.parse().unwrap(),
        channel: Channel::Stable,
        target: plugin_runtime::TARGET.into(),
        name: engine.to_uppercase(),
        description: "Does things.".into(),
        publisher: "vendor".into(),
        tier: "professional".into(),
        entitlement: None,
        requires: Requires::default(),
        notes: format!("What is new in {version}."),
        built_at: Utc::now(),
        published_at: Utc::now(),
        size: CONTENT.len() as u64,
        sha256: format!("{:0>64}", version.replace('.', "")),
    }
}

fn advisory(engine: &str, versions: &str) -> Advisory {
    Advisory {
        id: "ADV-1".into(),
        engine: engine.into(),
        versions: versions.parse().unwrap(),
        severity: "critical".into(),
        title: "Loses data".into(),
        detail: "It loses data.".into(),
        fixed_in: None,
        published_at: Utc::now(),
    }
}

/// A host that asks `source`, which lists `releases`; and a token that may do everything.
async fn market(releases: Vec<Release>) -> (TestHost, Arc<Steered>, String) {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let source = Arc::new(Steered::default());
    source.catalogue.lock().unwrap().releases = releases;
    host.host.app.marketplace.set_source(source.clone());
    look(&host, &admin).await;
    (host, source, admin)
}

async fn look(host: &TestHost, token: &str) {
    let looked = host.post("/api/v1/marketplace/-/refresh", token, Value::Null).await;
    assert_eq!(looked.status, 200, "{}", looked.body);
}

/// Pretend that a version is installed: its row is there, its package is not.
async fn installed(host: TestHost, engine: &str, version: &str) -> TestHost {
    let insert = format!(
        "INSERT INTO engines (id, enabled, current, highest, installed_at) \
         VALUES ('{engine}', true, '{version}', '{version}', '2026-01-01 00:00:00+00:00')"
    );
    host.host.app.db.write().execute_unprepared(&insert).await.unwrap();
    restarted(host).await
}

async fn restarted(host: TestHost) -> TestHost {
    let TestHost { host, folder, .. } = host;
    let config = host.app.config.clone();
    host.stop().await;
    TestHost::over(folder, config).await
}

async fn engine(host: &TestHost, token: &str, id: &str) -> Value {
    let answer = host.get(&format!("/api/v1/marketplace/engines/{id}"), token).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

async fn install(host: &TestHost, token: &str, id: &str, body: Value) -> crate::host::Answer {
    host.post(&format!("/api/v1/marketplace/engines/{id}/install"), token, body).await
}

/// The newest download, once `done` says so.
async fn download(host: &TestHost, token: &str, done: impl Fn(&Value) -> bool) -> Value {
    let wait = async {
        loop {
            let list = host.get("/api/v1/marketplace/downloads", token).await.body;
            match list["items"].as_array().and_then(|items| items.first()) {
                Some(first) if done(first) => return first.clone(),
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.unwrap()
}

fn failed(download: &Value) -> bool {
    download["state"] == "failed"
}

#[tokio::test]
async fn without_a_portal_the_status_says_so_and_nothing_is_offered() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let status = host.get("/api/v1/marketplace", &admin).await.body;
    assert_eq!((&status["configured"], &status["url"]), (&json!(false), &Value::Null), "{status}");
    assert_eq!(host.get("/api/v1/marketplace/engines", &admin).await.body, json!({"items": []}));
    host.post("/api/v1/marketplace/-/refresh", &admin, Value::Null).await.problem(409, "not_configured");
    install(&host, &admin, "disk_care", json!({})).await.problem(409, "not_configured");
}

#[tokio::test]
async fn offers_say_what_is_newest_licensed_and_compatible() {
    let mut old_host = release("disk_care", "2.0.0");
    old_host.requires.host = ">=99".parse().unwrap();
    let mut beta = release("disk_care", "2.1.0-beta.1");
    beta.channel = Channel::Beta;
    let mut elsewhere = release("elsewhere", "1.0.0");
    elsewhere.target = "sparc64-unknown-linux-gnu".into();
    let mut locked = release("locked", "1.0.0");
    locked.entitlement = Some("locked".into());
    let (host, source, admin) =
        market(vec![release("disk_care", "1.0.0"), old_host, beta, elsewhere, locked]).await;
    let care = engine(&host, &admin, "disk_care").await;
    assert_eq!((&care["newest"], &care["installed"]), (&json!("2.0.0"), &Value::Null), "{care}");
    assert_eq!(care["compatible"]["ok"], false);
    assert!(care["compatible"]["why"].as_str().unwrap().contains("needs host >=99"), "{care}");
    let versions: Vec<_> =
        care["versions"].as_array().unwrap().iter().map(|v| v["version"].clone()).collect();
    assert_eq!(versions, ["2.1.0-beta.1", "2.0.0", "1.0.0"], "newest first");
    assert_eq!(care["versions"][2]["compatible"], json!({"ok": true, "why": null}));
    assert_eq!(care["versions"][1]["notes"], "What is new in 2.0.0.");
    let elsewhere = engine(&host, &admin, "elsewhere").await;
    assert!(elsewhere["compatible"]["why"].as_str().unwrap().contains("sparc64"), "{elsewhere}");
    let locked = engine(&host, &admin, "locked").await;
    assert_eq!(
        (&locked["entitled"]["state"], &locked["entitled"]["reason"]),
        (&json!("locked"), &json!("no_license"))
    );
    assert!(locked["entitled"]["unlocks"].as_str().unwrap().contains("locked"), "{locked}");

    let policy = json!({"channel": "beta", "mode": "off", "contact": false});
    let put = host.call(Method::PUT, "/api/v1/marketplace/policy", &admin, policy.clone()).await;
    assert_eq!(put.status, 200, "{}", put.body);
    assert_eq!(engine(&host, &admin, "disk_care").await["newest"], "2.1.0-beta.1");

    install(&host, &admin, "locked", json!({})).await.problem(402, "license_required");
    install(&host, &admin, "elsewhere", json!({})).await.problem(409, "incompatible");
    install(&host, &admin, "nothing", json!({})).await.problem(404, "unknown_engine");
    let version = json!({"version": "7.0.0"});
    install(&host, &admin, "disk_care", version).await.problem(404, "unknown_version");
    assert_eq!(source.began.lock().unwrap().len(), 0, "nothing was begun");
    let audit = host.get("/api/v1/audit?limit=200", &admin).await.body.to_string();
    assert!(audit.contains("marketplace.policy_changed"), "{audit}");

    // What was seen and decided is still there after a restart without the portal.
    let host = restarted(host).await;
    assert_eq!(engine(&host, &admin, "disk_care").await["newest"], "2.1.0-beta.1");
    assert_eq!(host.get("/api/v1/marketplace", &admin).await.body["policy"]["channel"], "beta");
}

#[tokio::test]
async fn a_portal_that_is_down_is_told_and_takes_nothing_away() {
    let (host, source, admin) = market(vec![release("disk_care", "1.0.0")]).await;
    source.catalogue.lock().unwrap().broken =
        vec![Broken { role: "acme".into(), reason: "It is signed by another key.".into() }];
    look(&host, &admin).await;
    source.down.store(true, Ordering::SeqCst);
    let refused = host.post("/api/v1/marketplace/-/refresh", &admin, Value::Null).await;
    refused.problem(502, "portal_failed");
    assert_eq!(refused.body["reason"], "unreachable");
    let status = host.get("/api/v1/marketplace", &admin).await.body;
    assert_eq!(status["problem"]["code"], "unreachable", "{status}");
    assert_eq!(status["broken"][0]["role"], "acme");
    assert!(status["checked_at"].is_string());
    assert_eq!(engine(&host, &admin, "disk_care").await["newest"], "1.0.0");
    source.down.store(false, Ordering::SeqCst);
    look(&host, &admin).await;
    assert_eq!(host.get("/api/v1/marketplace", &admin).await.body["problem"], Value::Null);
}

#[tokio::test]
async fn a_broken_connection_goes_on_where_it_broke_off() {
    let (host, source, admin) = market(vec![release("disk_care", "1.0.0")]).await;
    let broke = SourceError::passing("unreachable", "The connection broke.");
    *source.tries.lock().unwrap() = vec![Try::Whole, Try::Breaks(5, broke.clone()), Try::Breaks(10, broke)];
    let begun = install(&host, &admin, "disk_care", json!({})).await;
    assert_eq!(begun.status, 202, "{}", begun.body);
    assert_eq!((&begun.body["state"], &begun.body["version"]), (&json!("downloading"), &json!("1.0.0")));
    let again = install(&host, &admin, "disk_care", json!({})).await;
    assert_eq!(again.body["id"], begun.body["id"], "it is begun once");
    // The bytes came; that they are no package is found by the code that finds it for uploads.
    let end = download(&host, &admin, failed).await;
    assert_eq!(*source.began.lock().unwrap(), [0, 10, 15]);
    assert_eq!(
        (&end["error"]["code"], &end["error"]["reason"]),
        (&json!("package_refused"), &json!("malformed_archive"))
    );
    assert_eq!(end["received"], CONTENT.len());
    let left = std::fs::read_dir(host.folder.path().join("data/engines/store/.downloads")).unwrap().count();
    assert_eq!(left, 0, "what was given up is removed");
    let audit = host.get("/api/v1/audit?limit=200", &admin).await.body.to_string();
    for action in ["marketplace.install_requested", "marketplace.install_failed"] {
        assert!(audit.contains(action), "{action} is not in {audit}");
    }
}

#[tokio::test]
async fn what_the_portal_refuses_is_told_with_its_reason_and_not_tried_again() {
    let (host, source, admin) = market(vec![release("disk_care", "1.0.0")]).await;
    let refused =
        SourceError { reason: Some("revoked".into()), ..SourceError::new("license_required", "Revoked.") };
    *source.tries.lock().unwrap() = vec![Try::Breaks(0, refused)];
    install(&host, &admin, "disk_care", json!({})).await;
    let end = download(&host, &admin, failed).await;
    assert_eq!(
        (&end["error"]["code"], &end["error"]["reason"]),
        (&json!("license_required"), &json!("revoked"))
    );
    assert_eq!(source.began.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_host_that_stops_in_the_middle_goes_on_at_its_next_start() {
    let (host, source, admin) = market(vec![release("disk_care", "1.0.0")]).await;
    *source.tries.lock().unwrap() = vec![Try::Waits];
    let begun = install(&host, &admin, "disk_care", json!({})).await.body;
    download(&host, &admin, |d| d["received"] == 7).await;
    let busy = install(&host, &admin, "disk_care", json!({"version": "1.0.0"})).await;
    assert_eq!(busy.body["id"], begun["id"]);
    let host = restarted(host).await;
    host.host.app.marketplace.set_source(source.clone());
    let end = download(&host, &admin, failed).await;
    assert_eq!(end["id"], begun["id"]);
    assert_eq!(*source.began.lock().unwrap(), [0, 7], "it went on, not began again");
    assert_eq!(end["error"]["code"], "package_refused");
}

#[tokio::test]
async fn a_download_of_what_is_listed_no_more_is_told_as_failed_after_a_restart() {
    let (host, source, admin) = market(vec![release("disk_care", "1.0.0")]).await;
    *source.tries.lock().unwrap() = vec![Try::Waits];
    install(&host, &admin, "disk_care", json!({})).await;
    download(&host, &admin, |d| d["received"] == 7).await;
    source.catalogue.lock().unwrap().releases.clear();
    look(&host, &admin).await;
    let host = restarted(host).await;
    let end = download(&host, &admin, failed).await;
    assert_eq!(end["error"]["code"], "no_longer_listed");
}

#[tokio::test]
async fn an_update_is_newer_good_and_never_a_downgrade() {
    let (host, source, admin) = market(vec![release("disk_care", "1.0.0")]).await;
    let host = installed(host, "disk_care", "1.1.0").await;
    host.host.app.marketplace.set_source(source.clone());
    assert_eq!(engine(&host, &admin, "disk_care").await["update_available"], false, "1.0.0 is older");
    install(&host, &admin, "disk_care", json!({})).await.problem(409, "downgrade");
    let list = [release("disk_care", "1.1.0"), release("disk_care", "1.2.0"), release("disk_care", "1.3.0")];
    source.catalogue.lock().unwrap().releases = list.to_vec();
    source.catalogue.lock().unwrap().advisories =
        vec![advisory("disk_care", "=1.3.0"), advisory("disk_care", "<1.2.0")];
    look(&host, &admin).await;
    let care = engine(&host, &admin, "disk_care").await;
    assert_eq!((&care["update_to"], &care["newest"]), (&json!("1.2.0"), &json!("1.3.0")), "{care}");
    let affects: Vec<_> =
        care["advisories"].as_array().unwrap().iter().map(|a| &a["affects_installed"]).collect();
    assert_eq!(affects, [&json!(false), &json!(true)]);
    install(&host, &admin, "disk_care", json!({"version": "1.1.0"})).await.problem(409, "in_use");
    let bad = "INSERT INTO engine_versions (engine, version, sha256, size, publisher, realm, bad, admitted_at) \
        VALUES ('disk_care', '1.2.0', '0', 1, 'vendor', 'vendor', 'it died', '2026-01-01 00:00:00+00:00')";
    host.host.app.db.write().execute_unprepared(bad).await.unwrap();
    let care = engine(&host, &admin, "disk_care").await;
    assert_eq!(
        (&care["update_available"], &care["versions"][1]["bad"]),
        (&json!(false), &json!("it died")),
        "{care}"
    );
}

#[tokio::test]
async fn people_are_told_once_of_updates_advisories_and_versions_no_longer_good() {
    let (host, source, admin) = market(Vec::new()).await;
    let host = installed(host, "disk_care", "1.0.0").await;
    host.host.app.marketplace.set_source(source.clone());
    {
        let mut catalogue = source.catalogue.lock().unwrap();
        catalogue.releases = vec![release("disk_care", "1.0.0"), release("disk_care", "1.2.0")];
        catalogue.advisories = vec![advisory("disk_care", "<1.1.0")];
        catalogue.floors.insert("disk_care".into(), "1.1.0".parse().unwrap());
    }
    for _ in 0..3 {
        look(&host, &admin).await;
    }
    let care = engine(&host, &admin, "disk_care").await;
    assert_eq!((&care["below_lowest_good"], &care["lowest_good"]), (&json!(true), &json!("1.1.0")));
    let told = host.get("/api/v1/notifications", &admin).await.body;
    let mut titles: Vec<_> =
        told["items"].as_array().unwrap().iter().map(|n| n["title"].as_str().unwrap()).collect();
    titles.sort_unstable();
    assert_eq!(
        titles,
        ["DISK_CARE 1.0.0 is no longer good", "DISK_CARE 1.0.0: Loses data", "DISK_CARE 1.2.0 is there"]
    );
}

#[tokio::test]
async fn updates_install_themselves_within_their_window_only() {
    let (host, source, admin) = market(Vec::new()).await;
    let host = installed(host, "disk_care", "1.0.0").await;
    host.host.app.marketplace.set_source(source.clone());
    source.catalogue.lock().unwrap().releases = vec![release("disk_care", "1.2.0")];
    look(&host, &admin).await;
    let local =
        |hours: i64| (crate::host::now(&host) + TimeDelta::hours(hours)).with_timezone(&chrono::Local);
    let time = |hours| local(hours).format("%H:%M").to_string();
    let days = json!(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]);
    let policy = |from: String, to: String| json!({"channel": "stable", "mode": "install", "window": {"days": days, "from": from, "to": to}, "contact": false});
    let put = async |policy: Value| {
        let put = host.call(Method::PUT, "/api/v1/marketplace/policy", &admin, policy).await;
        assert_eq!(put.status, 200, "{}", put.body);
        put.body
    };
    let status = put(policy(time(2), time(3))).await;
    assert!(status["next_window"]["from"].is_string(), "{status}");
    // The policy was looked at: a second change cannot come before that.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(host.get("/api/v1/marketplace/downloads", &admin).await.body["items"], json!([]));
    put(policy(time(-1), time(1))).await;
    let end = download(&host, &admin, failed).await;
    assert_eq!((&end["automatic"], &end["version"]), (&json!(true), &json!("1.2.0")), "{end}");
    let wrong = json!({"channel": "stable", "mode": "install", "window": {"days": [], "from": "01:00", "to": "02:00"}});
    let refused = host.call(Method::PUT, "/api/v1/marketplace/policy", &admin, wrong).await;
    refused.problem(422, "invalid");
    // What was given up is not tried again at once.
    put(policy(time(-1), time(2))).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(source.began.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn the_list_of_downloads_is_bounded() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let db = host.host.app.db.write();
    for n in 0..130 {
        let insert = format!(
            "INSERT INTO marketplace_downloads (id, engine, version, target, sha256, size, received, state, actor_name, \
             automatic, created_at, updated_at) VALUES ({}, 'e{n}', '1.0.0', 't', 's', 1, 1, 'done', 'a', false, \
             '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00')",
            uuid_literal(n)
        );
        db.execute_unprepared(&insert).await.unwrap();
    }
    let source = Arc::new(Steered::default());
    source.catalogue.lock().unwrap().releases = vec![release("disk_care", "1.0.0")];
    host.host.app.marketplace.set_source(source);
    look(&host, &admin).await;
    install(&host, &admin, "disk_care", json!({})).await;
    download(&host, &admin, failed).await;
    let list = host.get("/api/v1/marketplace/downloads", &admin).await.body;
    assert_eq!(list["items"].as_array().unwrap().len(), 100);
    assert_eq!(list["items"][0]["engine"], "disk_care");
}

/// A UUID as the database at hand wants it written.
fn uuid_literal(n: u32) -> String {
    match std::env::var("SYSMANAGE_TEST_POSTGRES_URL") {
        Ok(_) => format!("'00000000-0000-7000-8000-{n:012}'"),
        Err(_) => format!("x'00000000000070008000{n:012}'"),
    }
}

#[tokio::test]
async fn only_who_may_install_looks_installs_and_imports() {
    let (host, _source, admin) = market(vec![release("disk_care", "1.0.0")]).await;
    let viewer = host.user(&admin, "vera", &["viewer"]).await;
    assert_eq!(host.get("/api/v1/marketplace", &viewer).await.status, 200);
    assert_eq!(engine(&host, &viewer, "disk_care").await["newest"], "1.0.0");
    host.post("/api/v1/marketplace/-/refresh", &viewer, Value::Null).await.problem(403, "forbidden");
    host.post("/api/v1/marketplace/-/import", &viewer, Value::Null).await.problem(403, "forbidden");
    install(&host, &viewer, "disk_care", json!({})).await.problem(403, "forbidden");
    let put = host.call(Method::PUT, "/api/v1/marketplace/policy", &viewer, json!({"channel": "beta"})).await;
    put.problem(403, "forbidden");
}

#[test]
fn the_configuration_names_the_portal() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&folder);
    config.marketplace.url = "http://portal.example.org".into();
    assert!(config.check().unwrap_err().to_string().contains("https"));
}
