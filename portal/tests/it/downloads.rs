//! Publishing and downloading engines.

use chrono::Duration;
use plugin_api::manifest::Sha256Hex;
use reqwest::{Method, StatusCode};
use ring::digest::{SHA256, digest};
use serde_json::json;

use crate::portal::{Customer, PASSWORD, TARGET, TestPortal, send};

fn path(org: &str, engine: &str, version: &str, target: &str) -> String {
    format!("/api/v1/organisations/{org}/engines/{engine}/{version}/{target}")
}

async fn shop() -> (TestPortal, Customer, Vec<u8>) {
    let portal = TestPortal::start().await;
    let library: Vec<u8> =
        (0..300_000u32).flat_map(|n| (n.wrapping_mul(2_654_435_761)).to_le_bytes()).collect();
    let file = portal.package("pro", "1.0.0", "professional", &[TARGET], &library);
    portal.publish_file(&file).await.unwrap();
    let customer = portal.customer("marta").await;
    portal.buy(&customer, "professional-month", 5).await;
    (portal, customer, std::fs::read(file).unwrap())
}

#[tokio::test]
async fn a_licensed_download_is_the_package_that_was_published() {
    let (portal, customer, published) = shop().await;
    let path = path(&customer.org, "pro", "1.0.0", TARGET);
    let response = portal.request(Method::GET, &path, &customer.cookie).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["accept-ranges"], "bytes");
    let etag = response.headers()["etag"].to_str().unwrap().trim_matches('"').to_owned();
    let bytes = response.bytes().await.unwrap();
    assert!(bytes == published);
    let mut sum = [0; 32];
    sum.copy_from_slice(digest(&SHA256, &bytes).as_ref());
    assert_eq!(etag, Sha256Hex(sum).to_string());
    let head = portal.request(Method::HEAD, &path, &customer.cookie).send().await.unwrap();
    assert_eq!(head.headers()["content-length"], published.len().to_string().as_str());
}

#[tokio::test]
async fn a_resumed_download_equals_the_whole() {
    let (portal, customer, published) = shop().await;
    let path = path(&customer.org, "pro", "1.0.0", TARGET);
    let part = async |range: &str, etag: &str| {
        let request = portal.request(Method::GET, &path, &customer.cookie).header("range", range);
        let request = if etag.is_empty() { request } else { request.header("if-range", etag) };
        request.send().await.unwrap()
    };
    let first = part("bytes=0-99999", "").await;
    assert_eq!(first.status(), StatusCode::PARTIAL_CONTENT);
    let range = format!("bytes 0-99999/{}", published.len());
    assert_eq!(first.headers()["content-range"], range.as_str());
    let etag = first.headers()["etag"].to_str().unwrap().to_owned();
    let mut whole = first.bytes().await.unwrap().to_vec();
    assert_eq!(whole.len(), 100_000);
    whole.extend(part("bytes=100000-", &etag).await.bytes().await.unwrap());
    assert!(whole == published);
    // Another file than the one begun with is sent from its start.
    let other = part("bytes=100000-", "\"0000\"").await;
    assert_eq!(other.status(), 200);
    let beyond = part("bytes=99999999-", "").await;
    assert_eq!(beyond.status(), 416);
    assert_eq!(beyond.headers()["content-range"], format!("bytes */{}", published.len()).as_str());
    let request = portal.request(Method::GET, &path, &customer.cookie).header("if-none-match", &etag);
    let same = send(request).await;
    assert_eq!((same.status.as_u16(), same.text.len()), (304, 0));
}

#[tokio::test]
async fn without_a_licence_the_reason_is_told() {
    let (portal, customer, _) = shop().await;
    portal.publish("max", "1.0.0", "enterprise").await;
    portal.publish("open", "1.0.0", "free").await;
    portal.portal.app.bring_up_to_date().await;
    let other = portal.customer("other").await;
    let none = portal.get(&path(&other.org, "pro", "1.0.0", TARGET), &other.cookie).await;
    none.problem(402, "license_required");
    assert_eq!(none.body["reason"], "no_license");
    let higher = portal.get(&path(&customer.org, "max", "1.0.0", TARGET), &customer.cookie).await;
    higher.problem(402, "license_required");
    assert_eq!(
        (&higher.body["reason"], &higher.body["engine"]),
        (&json!("engine_not_included"), &json!("max"))
    );
    // What needs no licence is for everybody with an account.
    assert_eq!(portal.get(&path(&other.org, "open", "1.0.0", TARGET), &other.cookie).await.status, 200);
    let missing = portal.get(&path(&customer.org, "pro", "9.9.9", TARGET), &customer.cookie).await;
    missing.problem(404, "not_found");
    let target = portal.get(&path(&customer.org, "pro", "1.0.0", "riscv64"), &customer.cookie).await;
    target.problem(404, "not_found");
}

#[tokio::test]
async fn the_licence_of_another_organisation_opens_nothing() {
    let (portal, customer, _) = shop().await;
    let other = portal.customer("other").await;
    let id = portal.licenses(&customer).await[0]["id"].as_str().unwrap().to_owned();
    let with = |org: &str, id: &str| format!("{}?license={id}", path(org, "pro", "1.0.0", TARGET));
    portal.get(&with(&other.org, &id), &other.cookie).await.problem(403, "wrong_organisation");
    assert_eq!(portal.get(&with(&customer.org, &id), &customer.cookie).await.status, 200);
    let unknown = portal.get(&with(&customer.org, "nothing"), &customer.cookie).await;
    unknown.problem(402, "license_required");
}

#[tokio::test]
async fn an_ended_or_revoked_licence_opens_nothing() {
    let (portal, customer, _) = shop().await;
    let url = path(&customer.org, "pro", "1.0.0", TARGET);
    let sign_in = async || {
        let body = json!({"email": "marta@example.org", "password": PASSWORD});
        portal.post("/api/v1/session", "", body).await.cookie()
    };
    portal.clock.advance(Duration::days(40));
    assert_eq!(portal.get(&url, &sign_in().await).await.status, 200, "in grace");
    portal.clock.advance(Duration::days(20));
    let ended = portal.get(&url, &sign_in().await).await;
    ended.problem(402, "license_required");
    assert_eq!(ended.body["reason"], "expired");
    let staff = portal.staff("vera").await;
    let order =
        portal.licenses(&Customer { cookie: sign_in().await, org: customer.org.clone() }).await[0]["order"]
            .clone();
    let events = format!("/api/v1/vendor/orders/{}/events", order.as_str().unwrap());
    portal.post(&events, &staff, json!({"id": "x", "kind": "revoked", "reason": "fraud"})).await;
    let revoked = portal.get(&url, &sign_in().await).await;
    assert_eq!(revoked.body["reason"], "revoked", "{}", revoked.text);
}

#[tokio::test]
async fn no_more_downloads_run_at_once_than_allowed() {
    let portal = TestPortal::start_with(|config| config.downloads.at_once_per_organisation = 2).await;
    // More than the buffers of both sides of a connection hold, and no two parts alike.
    let mut library = vec![0u8; 24 << 20];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut library).unwrap();
    let file = portal.package("pro", "1.0.0", "professional", &[TARGET], &library);
    portal.publish_file(&file).await.unwrap();
    let (marta, other) = (portal.customer("marta").await, portal.customer("other").await);
    for customer in [&marta, &other] {
        portal.buy(customer, "professional-month", 5).await;
    }
    let url = path(&marta.org, "pro", "1.0.0", TARGET);
    // Begun, and not read.
    let first = portal.request(Method::GET, &url, &marta.cookie).send().await.unwrap();
    let second = portal.request(Method::GET, &url, &marta.cookie).send().await.unwrap();
    assert_eq!((first.status().as_u16(), second.status().as_u16()), (200, 200));
    let third = portal.get(&url, &marta.cookie).await;
    third.problem(429, "too_many_downloads");
    assert!(third.headers.contains_key("retry-after"));
    let elsewhere = portal.request(Method::HEAD, &path(&other.org, "pro", "1.0.0", TARGET), &other.cookie);
    assert_eq!(elsewhere.send().await.unwrap().status(), 200);
    assert_eq!(first.bytes().await.unwrap().len() as u64, std::fs::metadata(file).unwrap().len());
    drop(second);
    // Both slots come back: that of the whole download, and that of the one broken off.
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let request = portal.request(Method::GET, &url, &marta.cookie).header("range", "bytes=0-1");
        let two = [request.try_clone().unwrap().send(), request.send()];
        let both = futures_util::future::join_all(two).await;
        if both.iter().all(|r| r.as_ref().unwrap().status() == 206) {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "slots did not come back");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn what_is_published_is_verified_first() {
    let portal = TestPortal::start().await;
    let file = portal.package("pro", "1.0.0", "professional", &[TARGET], b"library");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let broken = portal.folder.path().join("broken.engine");
    std::fs::write(&broken, &bytes).unwrap();
    let refused = portal.publish_file(&broken).await.unwrap_err();
    assert!(matches!(refused, portal::releases::ReleaseError::Refused(_)), "{refused}");
    let sealed = plugin_packager::SealedPackage::read(std::fs::File::open(&file).unwrap()).unwrap();
    let stranger = license_issuer::development::stranger_publisher_signer();
    let folder = tempfile::tempdir().unwrap();
    let foreign = sealed.write_into(folder.path(), &sealed.signed_by(&stranger).unwrap()).unwrap();
    let refused = portal.publish_file(&foreign).await.unwrap_err();
    assert!(refused.to_string().contains("unknown_root"), "{refused}");
    assert!(portal.get("/api/v1/engines", "").await.body["items"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_published_version_never_changes_and_gains_targets() {
    let portal = TestPortal::start().await;
    let first = portal.package("pro", "1.0.0", "professional", &[TARGET], b"library");
    assert!(portal.publish_file(&first).await.unwrap().new);
    assert!(!portal.publish_file(&first).await.unwrap().new);
    let other = portal.package("pro", "1.0.0", "professional", &[TARGET], b"another library");
    let refused = portal.publish_file(&other).await.unwrap_err();
    assert!(matches!(refused, portal::releases::ReleaseError::PublishedOtherwise(..)), "{refused}");
    let arm = portal.package("pro", "1.0.0", "professional", &["aarch64-unknown-linux-gnu"], b"library");
    assert!(portal.publish_file(&arm).await.unwrap().new);
    let listed = portal.get("/api/v1/engines/pro/releases", "").await;
    assert_eq!(listed.body["items"].as_array().unwrap().len(), 1);
    assert_eq!(listed.body["items"][0]["files"].as_array().unwrap().len(), 2);
    assert_eq!(listed.body["items"][0]["notes"], "# Notes\n");
}

#[tokio::test]
async fn a_withdrawn_version_is_not_downloaded_and_a_channel_can_change() {
    let (portal, customer, _) = shop().await;
    let staff = portal.staff("vera").await;
    let url = path(&customer.org, "pro", "1.0.0", TARGET);
    let release = "/api/v1/vendor/releases/pro/1.0.0";
    let yanked = portal.post(&format!("{release}/yank"), &staff, json!({"reason": "It loses data"})).await;
    assert_eq!(yanked.status, 204, "{}", yanked.text);
    portal.get(&url, &customer.cookie).await.problem(410, "yanked");
    assert!(portal.get("/api/v1/engines", "").await.body["items"].as_array().unwrap().is_empty());
    portal.post(&format!("{release}/unyank"), &staff, json!(null)).await;
    assert_eq!(portal.get(&url, &customer.cookie).await.status, 200);
    let moved = portal.call(Method::PATCH, release, &staff, json!({"channel": "lts"})).await;
    assert_eq!(moved.status, 204, "{}", moved.text);
    let engines = portal.get("/api/v1/engines", "").await;
    assert_eq!(engines.body["items"][0]["newest"], json!({"lts": "1.0.0"}));
}

#[tokio::test]
async fn a_download_is_in_the_activity_log_once() {
    let (portal, customer, _) = shop().await;
    let url = path(&customer.org, "pro", "1.0.0", TARGET);
    for range in ["bytes=0-9", "bytes=10-19", "bytes=20-"] {
        send(portal.request(Method::GET, &url, &customer.cookie).header("range", range)).await;
    }
    let log = portal.get(&format!("/api/v1/organisations/{}/audit", customer.org), &customer.cookie).await;
    let downloads =
        log.body["items"].as_array().unwrap().iter().filter(|e| e["action"] == "engine.downloaded").count();
    assert_eq!(downloads, 1);
}
