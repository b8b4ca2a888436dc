//! Licences: what they say, what hosts make of them, and how they change.

use chrono::Duration;
use license_issuer::Signer as _;
use licenses::{Circumstances, ClockFloor, EngineBuild, Installed, LicenseSet, decide};
use portal::clock::Clock as _;
use serde_json::{Value, json};
use trust::TrustStore;

use crate::portal::{Customer, TestPortal};

/// The licence file that a customer downloads.
async fn file(portal: &TestPortal, customer: &Customer, n: usize) -> String {
    let id = portal.licenses(customer).await[n]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/organisations/{}/licenses/{id}/file", customer.org);
    let file = portal.get(&path, &customer.cookie).await;
    assert_eq!(file.status, 200, "{}", file.text);
    assert!(file.headers["content-disposition"].to_str().unwrap().contains(&id));
    file.text
}

/// What a host that has these licences says of an engine's build.
fn code(set: &LicenseSet, store: &TrustStore, engine: &str, portal: &TestPortal) -> &'static str {
    let build = EngineBuild::new(engine, semver::Version::new(1, 0, 0), portal.now() - Duration::hours(1));
    let circumstances = Circumstances {
        licenses: set,
        revocations: store.revocations(),
        now: portal.now(),
        floor: &ClockFloor::default(),
        instance: None,
        last_contact: None,
    };
    decide(&build, &circumstances).code()
}

async fn tell(portal: &TestPortal, staff: &str, order: &str, event: Value) {
    let told = portal.post(&format!("/api/v1/vendor/orders/{order}/events"), staff, event).await;
    assert_eq!(told.status, 200, "{}", told.text);
}

async fn shop() -> (TestPortal, Customer, String) {
    let portal = TestPortal::start().await;
    portal.publish("pro", "1.0.0", "professional").await;
    portal.publish("max", "1.0.0", "enterprise").await;
    portal.publish("open", "1.0.0", "free").await;
    let customer = portal.customer("marta").await;
    let order = portal.buy(&customer, "professional-month", 5).await;
    (portal, customer, order)
}

#[tokio::test]
async fn a_host_takes_the_licence_and_grants_what_was_bought() {
    let (portal, customer, _) = shop().await;
    let store = TrustStore::built_in();
    let mut set = LicenseSet::default();
    assert_eq!(set.install(&file(&portal, &customer, 0).await, &store, None), Ok(Installed::New));
    assert_eq!(code(&set, &store, "pro", &portal), "granted");
    assert_eq!(code(&set, &store, "max", &portal), "engine_not_included");
    let claims = set.iter().next().unwrap().claims().clone();
    assert_eq!(
        (claims.tier.as_str(), claims.hosts, claims.organisation.as_str()),
        ("professional", Some(5), "marta")
    );
    assert!(claims.customer.starts_with("C-"));
}

#[tokio::test]
async fn an_upgrade_renews_the_same_licence_on_the_host() {
    let (portal, customer, order) = shop().await;
    let staff = portal.staff("vera").await;
    let store = TrustStore::built_in();
    let mut set = LicenseSet::default();
    set.install(&file(&portal, &customer, 0).await, &store, None).unwrap();
    let up = json!({"id": "u1", "kind": "upgraded", "tier": "enterprise", "payment": null});
    tell(&portal, &staff, &order, up.clone()).await;
    tell(&portal, &staff, &order, up).await;
    assert_eq!(portal.licenses(&customer).await[0]["editions"].as_array().unwrap().len(), 2);
    assert_eq!(set.install(&file(&portal, &customer, 0).await, &store, None), Ok(Installed::Renewed));
    assert_eq!(code(&set, &store, "max", &portal), "granted");
}

#[tokio::test]
async fn a_refunded_order_lapses_to_read_only_at_the_host() {
    let (portal, customer, order) = shop().await;
    let staff = portal.staff("vera").await;
    let store = TrustStore::built_in();
    let mut set = LicenseSet::default();
    set.install(&file(&portal, &customer, 0).await, &store, None).unwrap();
    portal.clock.advance(Duration::hours(2));
    let payment = format!("test:{order}");
    tell(&portal, &staff, &order, json!({"id": "r", "kind": "refunded", "payment": payment, "total": 1500}))
        .await;
    set.install(&file(&portal, &customer, 0).await, &store, None).unwrap();
    assert_eq!(code(&set, &store, "pro", &portal), "expired");
}

#[tokio::test]
async fn a_year_keeps_its_builds_and_a_month_does_not() {
    let (portal, customer, _) = shop().await;
    portal.buy(&customer, "professional-year", 5).await;
    for license in portal.licenses(&customer).await {
        let claims = &license["editions"][0]["claims"];
        let year = claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap() > 300 * 86_400;
        assert_eq!(claims.get("support_until").is_some(), year, "{claims}");
    }
}

#[tokio::test]
async fn a_revoked_licence_is_in_a_list_that_hosts_believe() {
    let (portal, customer, order) = shop().await;
    let staff = portal.staff("vera").await;
    assert_eq!(portal.get("/api/v1/revocations", "").await.status, 204);
    let mut store = TrustStore::built_in();
    let mut set = LicenseSet::default();
    set.install(&file(&portal, &customer, 0).await, &store, None).unwrap();
    let event = json!({"id": "x", "kind": "revoked", "reason": "Paid with a stolen card"});
    tell(&portal, &staff, &order, event.clone()).await;
    tell(&portal, &staff, &order, event).await;
    let list = portal.get("/api/v1/revocations", "").await;
    store.apply_revocations(&list.text).unwrap();
    assert_eq!(code(&set, &store, "pro", &portal), "revoked");
    // The same list again is no conflict, and a further licence makes a newer one.
    store.apply_revocations(&portal.get("/api/v1/revocations", "").await.text).unwrap();
    let second = portal.buy(&customer, "enterprise-month", 1).await;
    tell(&portal, &staff, &second, json!({"id": "x", "kind": "revoked", "reason": "Again"})).await;
    store.apply_revocations(&portal.get("/api/v1/revocations", "").await.text).unwrap();
    let listed = portal.licenses(&customer).await;
    assert!(listed.iter().all(|l| l["revoked"].is_string()), "{listed:?}");
}

#[tokio::test]
async fn a_licence_is_bound_to_an_instance_and_freed_again() {
    let (portal, customer, order) = shop().await;
    let path = format!("/api/v1/organisations/{}/orders/{order}/transfer", customer.org);
    let instance = license_issuer::development::portal_signer().key_id();
    let bound = portal.post(&path, &customer.cookie, json!({"instance": instance})).await;
    assert_eq!(bound.status, 200, "{}", bound.text);
    let store = TrustStore::built_in();
    let token = file(&portal, &customer, 0).await;
    assert!(LicenseSet::default().install(&token, &store, None).is_err());
    assert_eq!(LicenseSet::default().install(&token, &store, Some(&instance)), Ok(Installed::New));
    portal.post(&path, &customer.cookie, json!({"instance": null})).await;
    let token = file(&portal, &customer, 0).await;
    assert_eq!(LicenseSet::default().install(&token, &store, None), Ok(Installed::New));
}

#[tokio::test]
async fn an_engine_that_is_published_later_joins_the_licences_of_its_tier() {
    let (portal, customer, _) = shop().await;
    portal.publish("late", "1.0.0", "professional").await;
    portal.portal.app.bring_up_to_date().await;
    portal.portal.app.bring_up_to_date().await;
    let licenses = portal.licenses(&customer).await;
    assert_eq!(licenses[0]["editions"].as_array().unwrap().len(), 2);
    let engines: Vec<&str> = licenses[0]["editions"][0]["claims"]["engines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["id"].as_str().unwrap())
        .collect();
    assert_eq!(engines, ["late", "pro"]);
}

#[tokio::test]
async fn a_downgrade_takes_effect_when_its_day_comes() {
    let (portal, customer, order) = shop().await;
    let staff = portal.staff("vera").await;
    let from = portal.now() + Duration::hours(5);
    tell(
        &portal,
        &staff,
        &order,
        json!({"id": "m", "kind": "machines_changed", "machines": 2, "from": from}),
    )
    .await;
    assert_eq!(portal.licenses(&customer).await[0]["editions"][0]["claims"]["hosts"], 5);
    portal.clock.advance(Duration::hours(6));
    portal.portal.app.bring_up_to_date().await;
    assert_eq!(portal.licenses(&customer).await[0]["editions"][0]["claims"]["hosts"], 2);
}

#[tokio::test]
async fn the_licence_of_another_organisation_is_not_there() {
    let (portal, customer, _) = shop().await;
    let other = portal.customer("other").await;
    let id = portal.licenses(&customer).await[0]["id"].as_str().unwrap().to_owned();
    for tail in ["", "/file"] {
        let path = format!("/api/v1/organisations/{}/licenses/{id}{tail}", other.org);
        portal.get(&path, &other.cookie).await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let (portal, customer, order) = shop().await;
    let before = portal.licenses(&customer).await;
    let (config, clock) = (portal.portal.app.config.clone(), portal.clock.clone());
    let TestPortal { portal: running, folder, .. } = portal;
    running.stop().await;
    let portal = TestPortal::over(folder, config, clock).await;
    assert_eq!(portal.licenses(&customer).await, before);
    let path = format!("/api/v1/organisations/{}/orders/{order}/history", customer.org);
    let kinds: Vec<Value> = portal.get(&path, &customer.cookie).await.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["kind"].clone())
        .collect();
    assert_eq!(kinds, ["ordered", "invoice_paid"]);
}

/// A key for licences in files, certified by `root`.
fn key_files(
    folder: &std::path::Path,
    root: &dyn license_issuer::Signer,
    now: chrono::DateTime<chrono::Utc>,
) -> (String, String) {
    let pem = license_issuer::generate_key().unwrap();
    let request = license_issuer::CertificateRequest {
        subject: "licences of a test".into(),
        key: license_issuer::FileSigner::parse(pem.as_bytes()).unwrap().public_key(),
        usage: trust::Usage::License,
        issues: Vec::new(),
        engines: trust::Namespace::all(),
        not_before: now - Duration::days(1),
        not_after: now + Duration::days(900),
    };
    let certificate = license_issuer::issue_certificate(root, request).unwrap();
    let (key, cert) = (folder.join("license.pem"), folder.join("license.cert"));
    std::fs::write(&key, pem.as_bytes()).unwrap();
    std::fs::write(&cert, certificate).unwrap();
    (key.display().to_string(), cert.display().to_string())
}

#[tokio::test]
async fn a_new_signing_key_renews_licences_of_the_old_one() {
    let (portal, customer, order) = shop().await;
    let staff = portal.staff("vera").await;
    let store = TrustStore::built_in();
    let mut set = LicenseSet::default();
    set.install(&file(&portal, &customer, 0).await, &store, None).unwrap();
    let (mut config, clock) = (portal.portal.app.config.clone(), portal.clock.clone());
    let TestPortal { portal: running, folder, .. } = portal;
    running.stop().await;
    let root = license_issuer::development::root_signer();
    let (key, certificate) = key_files(folder.path(), &root, clock.now());
    (config.licenses.key_file, config.licenses.certificate_file) = (key, certificate);
    let portal = TestPortal::over(folder, config, clock).await;
    // Nothing changed, so nothing is signed anew.
    portal.portal.app.bring_up_to_date().await;
    assert_eq!(portal.licenses(&customer).await[0]["editions"].as_array().unwrap().len(), 1);
    tell(
        &portal,
        &staff,
        &order,
        json!({"id": "m", "kind": "machines_changed", "machines": 9, "from": portal.now()}),
    )
    .await;
    assert_eq!(set.install(&file(&portal, &customer, 0).await, &store, None), Ok(Installed::Renewed));
    assert_eq!(code(&set, &store, "pro", &portal), "granted");
}

#[tokio::test]
async fn a_portal_whose_licences_hosts_would_refuse_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let stranger = license_issuer::development::acme_root_signer();
    let (key, certificate) = key_files(folder.path(), &stranger, chrono::Utc::now());
    let mut config = portal::config::Config { data_dir: folder.path().join("data"), ..Default::default() };
    config.http.port = 0;
    (config.licenses.key_file, config.licenses.certificate_file) = (key, certificate);
    let clock = std::sync::Arc::new(portal::clock::SystemClock);
    let refused = portal::serve::Portal::start(config, clock).await.err().expect("it starts");
    assert!(format!("{refused:#}").contains("hosts would refuse"), "{refused:#}");
}

#[tokio::test]
async fn a_host_without_a_network_is_activated_by_files() {
    let (portal, customer, _) = shop().await;
    let key = || licenses::InstanceKey::from_pkcs8(&licenses::InstanceKey::generate().unwrap()).unwrap();
    let own = key();
    let request = licenses::InstanceRequest::sign(&own, "host.example.org", portal.now() - Duration::days(3));
    let id = portal.licenses(&customer).await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/organisations/{}/licenses/{id}/activate", customer.org);
    let activate = async |text: &str| {
        let request = portal.request(reqwest::Method::POST, &path, &customer.cookie);
        crate::portal::send(request.header("content-type", "text/plain").body(text.to_owned())).await
    };
    let bound = activate(&format!("{request}\n")).await;
    assert_eq!(bound.status, 200, "{}", bound.text);
    assert!(bound.headers["content-disposition"].to_str().unwrap().contains(&id));
    let store = TrustStore::built_in();
    let mut set = LicenseSet::default();
    assert_eq!(set.install(&bound.text, &store, Some(&own.public_key().id())), Ok(Installed::New));
    let other = LicenseSet::default().install(&bound.text, &store, Some(&key().public_key().id()));
    assert_eq!(other, Err(licenses::Error::WrongInstance));
    // The same file again is the same licence, and no further edition.
    assert_eq!(activate(&request).await.text, bound.text);
    assert_eq!(portal.licenses(&customer).await[0]["editions"].as_array().unwrap().len(), 2);
    for wrong in ["", "a.b", &request.replacen('e', "f", 1)] {
        activate(wrong).await.problem(422, "invalid");
    }
    let stranger = portal.customer("stranger").await;
    let foreign = format!("/api/v1/organisations/{}/licenses/{id}/activate", stranger.org);
    let foreign = portal.request(reqwest::Method::POST, &foreign, &stranger.cookie).body(request);
    crate::portal::send(foreign.header("content-type", "text/plain")).await.problem(404, "not_found");
}

#[tokio::test]
async fn the_page_activates_and_transfers_by_forms() {
    let (portal, customer, order) = shop().await;
    let key = licenses::InstanceKey::from_pkcs8(&licenses::InstanceKey::generate().unwrap()).unwrap();
    let request = licenses::InstanceRequest::sign(&key, "host", portal.now());
    let id = portal.licenses(&customer).await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/organisations/{}/licenses/{id}/activate", customer.org);
    let send = async |content: &str| {
        let body = format!(
            "--x\r\ncontent-disposition: form-data; name=\"request\"; filename=\"host.request\"\r\n\r\n{content}\r\n--x--\r\n"
        );
        let form = portal.request(reqwest::Method::POST, &path, &customer.cookie).body(body);
        crate::portal::send(form.header("content-type", "multipart/form-data; boundary=x")).await
    };
    let bound = send(&request).await;
    assert_eq!(bound.status, 200, "{}", bound.text);
    let instance = key.public_key().id();
    let claims = licenses::License::verify(&bound.text, &TrustStore::built_in()).unwrap().claims().clone();
    assert_eq!(claims.instance, Some(instance.clone()));
    assert_eq!(send("nonsense").await.status, 422);
    assert_eq!(send(&"x".repeat(10_000)).await.status, 422);
    let list = format!("/organisations/{}/licenses", customer.org);
    let page = portal.get(&list, &customer.cookie).await.text;
    assert!(page.contains(&instance.to_string()) && page.contains("2 editions"), "{page}");
    let transfer = format!("/organisations/{}/orders/{order}/transfer", customer.org);
    assert_eq!(portal.form(&transfer, &customer.cookie, &[("instance", "zz")]).await.status, 422);
    assert_eq!(portal.form(&transfer, &customer.cookie, &[]).await.status, 303);
    assert!(portal.get(&list, &customer.cookie).await.text.contains("For any one of your hosts."));
}
