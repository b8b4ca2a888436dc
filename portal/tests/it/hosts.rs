//! Hosts that call: their proof, what they hear, and receipts that both sides can show.

use chrono::Duration;
use licenses::{
    HostProof, InstanceKey, SignedRequest,
    receipt::{Countersigned, Period, Receipt},
};
use reqwest::Method;
use serde_json::{Value, json};
use trust::{TrustStore, UnverifiedRevocationList};

use crate::portal::{Answer, Customer, TestPortal, send};

const CONTACT: &str = "/api/v1/hosts/contact";

pub struct TestHost {
    pub key: InstanceKey,
    pub token: String,
}

impl TestHost {
    pub fn with(token: &str) -> Self {
        let key = InstanceKey::from_pkcs8(&InstanceKey::generate().unwrap()).unwrap();
        Self { key, token: token.trim().to_owned() }
    }

    pub async fn contact(&self, portal: &TestPortal, body: &Value) -> Answer {
        let text = body.to_string();
        let request =
            SignedRequest { method: "POST", target: CONTACT, body: SignedRequest::digest(text.as_bytes()) };
        let proof = HostProof::sign(&self.key, &self.token, &request, portal.now());
        self.send(portal, &proof, text).await
    }

    async fn send(&self, portal: &TestPortal, proof: &str, body: String) -> Answer {
        let request = portal.request(Method::POST, CONTACT, "").header("authorization", proof);
        send(request.header("content-type", "application/json").body(body)).await
    }

    fn license_id(&self) -> String {
        let token = licenses::License::verify(&self.token, &TrustStore::built_in()).unwrap();
        token.claims().id.clone()
    }

    /// The receipt after `before`, for one day from `from` days ago.
    fn receipt(&self, portal: &TestPortal, before: Option<&Receipt>, ago: i64, machines: u64) -> Receipt {
        let from = portal.now() - Duration::days(ago);
        let until = from + Duration::days(1);
        let period = Period { from, until, machines, child_machines: 1, ledger: None };
        Receipt::sign(&self.key, &self.license_id(), before, period).unwrap()
    }
}

fn says(receipts: &[&Receipt]) -> Value {
    let texts: Vec<&str> = receipts.iter().map(|receipt| receipt.text()).collect();
    json!({"host_version": "1.2.3", "engines": [{"id": "pro", "version": "1.0.0"}], "receipts": texts})
}

pub async fn token(portal: &TestPortal, customer: &Customer) -> String {
    let id = portal.licenses(customer).await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/organisations/{}/licenses/{id}/file", customer.org);
    portal.get(&path, &customer.cookie).await.text.trim().to_owned()
}

async fn shop() -> (TestPortal, Customer, String, TestHost) {
    let portal = TestPortal::start().await;
    portal.publish("pro", "1.0.0", "professional").await;
    let customer = portal.customer("marta").await;
    let order = portal.buy(&customer, "professional-month", 5).await;
    let host = TestHost::with(&token(&portal, &customer).await);
    (portal, customer, order, host)
}

#[tokio::test]
async fn a_host_hears_of_a_newer_edition_and_of_revocations() {
    let (portal, _, order, host) = shop().await;
    let nothing = host.contact(&portal, &says(&[])).await;
    assert_eq!(nothing.status, 200, "{}", nothing.text);
    assert_eq!(nothing.body, json!({"license": null, "revocations": null, "receipts": []}));
    let staff = portal.staff("vera").await;
    let path = format!("/api/v1/vendor/orders/{order}/events");
    let up = json!({"id": "u1", "kind": "machines_changed", "machines": 9, "from": portal.now()});
    let told = portal.post(&path, &staff, up).await;
    assert_eq!(told.status, 200, "{}", told.text);
    let newer = host.contact(&portal, &says(&[])).await;
    let edition = licenses::License::verify(newer.body["license"].as_str().unwrap(), &TrustStore::built_in());
    assert_eq!(edition.unwrap().claims().hosts, Some(9));
    let up_to_date = TestHost { token: newer.body["license"].as_str().unwrap().into(), ..host };
    assert_eq!(up_to_date.contact(&portal, &says(&[])).await.body["license"], Value::Null);
    portal.post(&path, &staff, json!({"id": "r", "kind": "revoked", "reason": "stolen"})).await;
    let revoked = up_to_date.contact(&portal, &says(&[])).await;
    let list = revoked.body["revocations"].as_str().unwrap();
    UnverifiedRevocationList::parse(list).unwrap().verify(&TrustStore::built_in()).unwrap();
    assert!(TrustStore::built_in().apply_revocations(list).is_ok());
}

#[tokio::test]
async fn whoever_does_not_prove_the_instance_is_refused() {
    let (portal, customer, _, host) = shop().await;
    let body = says(&[]).to_string();
    let sign = |host: &TestHost, body: &str, at| {
        let request =
            SignedRequest { method: "POST", target: CONTACT, body: SignedRequest::digest(body.as_bytes()) };
        HostProof::sign(&host.key, &host.token, &request, at)
    };
    let reason = async |proof: String, body: &str| {
        let refused = host.send(&portal, &proof, body.to_owned()).await;
        refused.problem(401, "host_proof_refused");
        refused.body["reason"].as_str().unwrap().to_owned()
    };
    let stale = sign(&host, &body, portal.now() - Duration::minutes(6));
    assert_eq!(reason(stale, &body).await, "stale");
    let good = sign(&host, &body, portal.now());
    assert_eq!(reason(good.clone(), &format!("{body} ")).await, "bad_signature");
    assert_eq!(reason(format!("{good}!"), &body).await, "malformed");
    for other in [&customer.cookie, ""] {
        let refused = send(portal.request(Method::POST, CONTACT, other).body(body.clone())).await;
        refused.problem(401, "unauthenticated");
    }
    // A licence of the same vendor that this portal did not issue, and one that nobody did.
    let foreign = TestHost::with(&license_issuer::development::license(&["pro"], portal.now()));
    foreign.contact(&portal, &says(&[])).await.problem(403, "unknown_license");
    let made_up = TestHost::with("a.b.c").contact(&portal, &says(&[])).await;
    made_up.problem(401, "license_refused");
}

#[tokio::test]
async fn a_licence_that_was_transferred_is_no_longer_the_old_hosts() {
    let (portal, customer, order, host) = shop().await;
    let path = format!("/api/v1/organisations/{}/orders/{order}/transfer", customer.org);
    let own = host.key.public_key().id().to_string();
    assert_eq!(portal.post(&path, &customer.cookie, json!({"instance": own})).await.status, 200);
    // The edition that the host has names no instance; the one in force does.
    let bound = host.contact(&portal, &says(&[])).await;
    assert_eq!(bound.status, 200, "{}", bound.text);
    assert!(bound.body["license"].is_string());
    let other = TestHost::with(&host.token);
    other.contact(&portal, &says(&[])).await.problem(403, "wrong_instance");
    let id = other.key.public_key().id().to_string();
    assert_eq!(portal.post(&path, &customer.cookie, json!({"instance": id})).await.status, 200);
    host.contact(&portal, &says(&[])).await.problem(403, "wrong_instance");
    assert_eq!(other.contact(&portal, &says(&[])).await.status, 200);
}

#[tokio::test]
async fn receipts_are_countersigned_once_and_shown_to_both_sides() {
    let (portal, customer, _, host) = shop().await;
    let staff = portal.staff("vera").await;
    let first = host.receipt(&portal, None, 9, 3);
    let second = host.receipt(&portal, Some(&first), 8, 4);
    let both = host.contact(&portal, &says(&[&first, &second])).await;
    assert_eq!(both.status, 200, "{}", both.text);
    let countersigned: Vec<String> = serde_json::from_value(both.body["receipts"].clone()).unwrap();
    for (text, receipt) in countersigned.iter().zip([&first, &second]) {
        let read = Countersigned::verify(text, &TrustStore::built_in()).unwrap();
        assert_eq!((read.receipt(), read.at()), (receipt, portal.now()));
    }
    // The answer was lost: the host sends them again, later, with one more.
    portal.clock.advance(Duration::minutes(1));
    let third = host.receipt(&portal, Some(&second), 7, 5);
    let again = host.contact(&portal, &says(&[&first, &second, &third])).await;
    let again: Vec<String> = serde_json::from_value(again.body["receipts"].clone()).unwrap();
    assert_eq!((again[..2].to_vec(), again.len()), (countersigned, 3));
    for (path, as_whom) in [
        (format!("/api/v1/organisations/{}", customer.org), &customer.cookie),
        (format!("/api/v1/vendor/customers/{}", customer.org), &staff),
    ] {
        let hosts = portal.get(&format!("{path}/usage"), as_whom).await;
        let shown = &hosts.body["items"][0];
        assert_eq!(shown["instance"], host.key.public_key().id().to_string(), "{}", hosts.text);
        assert_eq!((&shown["host_version"], &shown["last"]["machines"]), (&json!("1.2.3"), &json!(5)));
        let receipts = portal.get(&format!("{path}/receipts"), as_whom).await;
        let items = receipts.body["items"].as_array().unwrap();
        assert_eq!(items.len(), 3, "{}", receipts.text);
        assert_eq!(items[0]["countersigned"].as_str(), Some(again[2].as_str()));
        let before = portal.get(&format!("{path}/receipts?before=2"), as_whom).await;
        assert_eq!(before.body["items"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn gaps_forks_and_dates_are_refused_and_tell_where_to_go_on() {
    let (portal, _, _, host) = shop().await;
    let first = host.receipt(&portal, None, 9, 3);
    let second = host.receipt(&portal, Some(&first), 8, 4);
    let third = host.receipt(&portal, Some(&second), 7, 5);
    host.contact(&portal, &says(&[&second])).await.problem(409, "receipt_gap");
    let taken = host.contact(&portal, &says(&[&first])).await;
    let gap = host.contact(&portal, &says(&[&third])).await;
    gap.problem(409, "receipt_gap");
    assert_eq!((&gap.body["expected"], &gap.body["head"]), (&json!(2), &taken.body["receipts"][0]));
    // Nothing of a call that is refused is taken.
    let other = host.receipt(&portal, Some(&first), 8, 100);
    host.contact(&portal, &says(&[&second, &other])).await.problem(409, "receipt_fork");
    let two = host.contact(&portal, &says(&[&second, &third])).await;
    assert_eq!(two.status, 200, "{}", two.text);
    // The host was put back to an older state: its portal tells it the head, and it goes on from there.
    let fork = host.contact(&portal, &says(&[&other])).await;
    fork.problem(409, "receipt_fork");
    let head = Countersigned::verify(fork.body["head"].as_str().unwrap(), &TrustStore::built_in()).unwrap();
    assert_eq!(head.receipt(), &third);
    let fourth = host.receipt(&portal, Some(head.receipt()), 6, 6);
    assert_eq!(host.contact(&portal, &says(&[&fourth])).await.status, 200);
    let future = host.receipt(&portal, Some(&fourth), -3, 6);
    host.contact(&portal, &says(&[&future])).await.problem(409, "receipt_from_the_future");
    // Another instance's receipts are not this host's to hand in.
    let stranger = TestHost::with(&host.token);
    let foreign = stranger.receipt(&portal, None, 2, 1);
    host.contact(&portal, &says(&[&foreign])).await.problem(409, "receipt_wrong_chain");
    let changed = json!({"host_version": "1", "receipts": [first.text().replacen('e', "f", 1)]});
    let changed = host.contact(&portal, &changed).await;
    assert_eq!(changed.status, 409, "{}", changed.text);
}

#[tokio::test]
async fn the_same_receipts_at_once_are_taken_once() {
    let (portal, customer, _, host) = shop().await;
    let first = host.receipt(&portal, None, 9, 3);
    let second = host.receipt(&portal, Some(&first), 8, 4);
    let body = says(&[&first, &second]);
    let all = futures_util::future::join_all((0..8).map(|_| host.contact(&portal, &body))).await;
    for answer in &all {
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.body["receipts"], all[0].body["receipts"]);
    }
    let path = format!("/api/v1/organisations/{}/receipts", customer.org);
    assert_eq!(portal.get(&path, &customer.cookie).await.body["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_too_much_is_refused() {
    let (portal, _, _, host) = shop().await;
    let long = json!({"host_version": "x".repeat(101)});
    host.contact(&portal, &long).await.problem(422, "invalid");
    let many = json!({"host_version": "1", "receipts": vec!["x"; 51]});
    host.contact(&portal, &many).await.problem(422, "invalid");
    let huge =
        json!({"host_version": "1", "engines": vec![json!({"id": "a".repeat(90), "version": "1"}); 4000]});
    host.contact(&portal, &huge).await.problem(413, "body_too_large");
}
