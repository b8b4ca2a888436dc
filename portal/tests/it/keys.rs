//! Signing keys: several at a time, changed while the portal signs, and told of before they end.

use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use chrono::{DateTime, Duration, Utc};
use license_issuer::{
    CertificateRequest, FileSigner, Signer as _, development, generate_key, issue_certificate,
};
use licenses::{Installed, License, LicenseSet};
use serde_json::{Value, json};
use trust::{Namespace, TrustStore, Usage};

use crate::{
    hosts::token,
    portal::{Customer, PASSWORD, TestPortal},
};

/// A key with a certificate of the development root, in two files.
pub fn new_key(
    folder: &Path,
    name: &str,
    usage: Usage,
    from: DateTime<Utc>,
    days: i64,
) -> (PathBuf, PathBuf) {
    let pem = generate_key().unwrap();
    let signer = FileSigner::parse(pem.as_bytes()).unwrap();
    let request = CertificateRequest {
        subject: name.to_owned(),
        key: signer.public_key(),
        usage,
        issues: Vec::new(),
        engines: Namespace::all(),
        not_before: from,
        not_after: from + Duration::days(days),
    };
    let certificate = issue_certificate(&development::root_signer(), request).unwrap();
    let files = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.cert")));
    std::fs::write(&files.0, pem.as_bytes()).unwrap();
    std::fs::write(&files.1, certificate).unwrap();
    files
}

/// A `[[licenses.keys]]` of a configuration.
pub fn entry(of: &str, (key, certificate): &(PathBuf, PathBuf)) -> String {
    format!(
        "[[licenses.keys]]\nuse = \"{of}\"\nkey_file = \"{}\"\ncertificate_file = \"{}\"\n",
        key.display(),
        certificate.display()
    )
}

/// A key in a hardware module that there is not.
fn in_a_module(certificate: &Path) -> String {
    format!(
        "[[licenses.keys]]\nuse = \"license\"\ncertificate_file = \"{}\"\n\
         pkcs11 = {{ module = \"/nowhere.so\", token = \"portal\", label = \"license\", pin_file = \"{}\" }}\n",
        certificate.display(),
        certificate.display()
    )
}

/// Write the file whole or not at all, as an operator's tool would.
pub fn write(file: &Path, text: &str) {
    let partial = file.with_extension("partial");
    std::fs::write(&partial, text).unwrap();
    std::fs::rename(&partial, file).unwrap();
}

struct Shop {
    portal: TestPortal,
    file: PathBuf,
    customer: Customer,
    order: String,
    staff: String,
}

impl Shop {
    async fn open() -> Self {
        let keys = tempfile::tempdir().unwrap().keep();
        let file = keys.join("portal.toml");
        write(&file, "");
        let portal = TestPortal::start_with(|config| config.file = Some(file.clone())).await;
        portal.publish("pro", "1.0.0", "professional").await;
        let customer = portal.customer("marta").await;
        let order = portal.buy(&customer, "professional-month", 5).await;
        let staff = portal.staff("vera").await;
        Self { portal, file, customer, order, staff }
    }

    /// Sessions end in hours, and these tests move the clock by days.
    async fn advance(&mut self, days: i64) {
        self.portal.clock.advance(Duration::days(days));
        self.staff = self.portal.staff(&format!("vera-{}", uuid::Uuid::new_v4())).await;
        let body = json!({"email": "marta@example.org", "password": PASSWORD});
        self.customer.cookie = self.portal.post("/api/v1/session", "", body).await.cookie();
    }

    fn folder(&self) -> &Path {
        self.file.parent().unwrap()
    }

    async fn reload(&self) -> crate::portal::Answer {
        self.portal.post("/api/v1/vendor/keys/-/reload", &self.staff, Value::Null).await
    }

    /// Change the number of machines, which signs an edition.
    async fn change(&self, machines: u64) {
        let path = format!("/api/v1/vendor/orders/{}/events", self.order);
        let from = self.portal.now();
        let body = json!({"id": format!("m{machines}"), "kind": "machines_changed", "machines": machines, "from": from});
        let told = self.portal.post(&path, &self.staff, body).await;
        assert_eq!(told.status, 200, "{}", told.text);
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.folder());
    }
}

fn signer_of(token: &str) -> String {
    License::verify(token, &TrustStore::built_in()).unwrap().signer().subject.clone()
}

#[tokio::test]
async fn keys_are_changed_while_licences_are_signed_and_nothing_fails() {
    const ROUNDS: u64 = 12;
    let shop = Shop::open().await;
    let changes = async {
        for n in 0..60 {
            shop.change(100 + n).await;
        }
    };
    let rotations = async {
        let mut text = String::new();
        for round in 0..ROUNDS {
            let from = shop.portal.now() - Duration::minutes(30) + Duration::seconds(round as i64);
            let key = new_key(shop.folder(), &format!("license-{round}"), Usage::License, from, 90);
            text += &entry("license", &key);
            let list = new_key(shop.folder(), &format!("list-{round}"), Usage::Revocation, from, 90);
            text += &entry("revocation", &list);
            write(&shop.file, &text);
            let reloaded = shop.reload().await;
            assert_eq!(reloaded.status, 200, "{}", reloaded.text);
        }
    };
    tokio::join!(changes, rotations);
    shop.change(1000).await;
    let signed: Vec<String> = portal_editions(&shop).await;
    assert!(signed.len() >= 61, "{}", signed.len());
    let mut signers: Vec<String> = signed.iter().map(|token| signer_of(token)).collect();
    assert_eq!(signers.last().map(String::as_str), Some(format!("license-{}", ROUNDS - 1).as_str()));
    signers.dedup();
    assert!(signers.len() > 2, "{signers:?}");
    // A host takes each as the renewal of the one before it.
    let store = TrustStore::built_in();
    let mut host = LicenseSet::default();
    for (n, token) in signed.iter().enumerate() {
        let expected = if n == 0 { Installed::New } else { Installed::Renewed };
        assert_eq!(host.install(token, &store, None), Ok(expected), "{n}");
    }
}

/// Tokens of every edition, oldest first. Customers get the newest only.
async fn portal_editions(shop: &Shop) -> Vec<String> {
    let id: uuid::Uuid = shop.customer.org.parse().unwrap();
    let list = shop.portal.portal.app.licensing.list(&portal::ctx::Ctx::operator(), id).await.unwrap();
    list[0].editions.iter().rev().map(|edition| edition.token.clone()).collect()
}

#[tokio::test]
async fn a_key_takes_over_on_the_day_on_which_its_certificate_begins() {
    let mut shop = Shop::open().await;
    let now = shop.portal.now();
    let old = new_key(shop.folder(), "old", Usage::License, now - Duration::days(1), 30);
    let new = new_key(shop.folder(), "new", Usage::License, now + Duration::days(20), 365);
    write(&shop.file, &(entry("license", &new) + &entry("license", &old)));
    let list = shop.reload().await;
    let states = |list: &Value| -> Vec<(String, Value)> {
        let keys = list["items"].as_array().unwrap();
        let licenses = keys.iter().filter(|key| key["usage"] == "license");
        licenses.map(|key| (key["subject"].as_str().unwrap().to_owned(), key["state"].clone())).collect()
    };
    let expected = |new: &str, old: &str| vec![("new".to_owned(), json!(new)), ("old".into(), json!(old))];
    assert_eq!(states(&list.body), expected("not_yet_valid", "signs"), "{}", list.text);
    shop.change(6).await;
    let first = token(&shop.portal, &shop.customer).await;
    assert_eq!(signer_of(&first), "old");
    shop.advance(21).await;
    shop.change(7).await;
    assert_eq!(signer_of(&token(&shop.portal, &shop.customer).await), "new");
    let list = shop.portal.get("/api/v1/vendor/keys", &shop.staff).await;
    assert_eq!(states(&list.body), expected("signs", "valid"));
    shop.advance(10).await;
    let list = shop.portal.get("/api/v1/vendor/keys", &shop.staff).await;
    assert_eq!(states(&list.body), expected("signs", "ended"));
    // What the old key signed is still good.
    License::verify(&first, &TrustStore::built_in()).unwrap();
}

#[tokio::test]
async fn keys_that_hosts_would_refuse_are_not_taken_and_the_old_ones_go_on() {
    let shop = Shop::open().await;
    let now = shop.portal.now();
    let of_another_use = new_key(shop.folder(), "portal", Usage::Portal, now - Duration::days(1), 30);
    let ended = new_key(shop.folder(), "ended", Usage::License, now - Duration::days(60), 30);
    let good = new_key(shop.folder(), "good", Usage::License, now - Duration::days(1), 30);
    let swapped = (good.0.clone(), ended.1.clone());
    let missing = (shop.folder().join("missing"), good.1.clone());
    for (text, why) in [
        (entry("license", &of_another_use), "portal"),
        (entry("license", &ended), "no key for `license`"),
        (entry("license", &swapped), "do not fit"),
        (entry("license", &missing), "missing"),
        ("[licenses]\nno_such_key = 1\n".into(), "no_such_key"),
        (
            "[[licenses.keys]]\nuse = \"license\"\nkey_file = \"\"\ncertificate_file = \"\"\n".into(),
            "key_file",
        ),
        (in_a_module(&good.1), if cfg!(feature = "pkcs11") { "/nowhere.so" } else { "feature `pkcs11`" }),
    ] {
        write(&shop.file, &text);
        let refused = shop.reload().await;
        refused.problem(422, "keys_refused");
        assert!(refused.body["detail"].as_str().unwrap().contains(why), "{}", refused.text);
    }
    shop.change(6).await;
    let development = development::license_signer().chain().parse().unwrap()[0].body().subject.clone();
    assert_eq!(signer_of(&token(&shop.portal, &shop.customer).await), development);
    write(&shop.file, &(entry("license", &ended) + &entry("license", &good)));
    assert_eq!(shop.reload().await.status, 200);
    shop.change(7).await;
    assert_eq!(signer_of(&token(&shop.portal, &shop.customer).await), "good");
}

#[tokio::test]
async fn a_list_that_was_given_out_is_given_out_again_after_a_rotation() {
    let shop = Shop::open().await;
    let path = format!("/api/v1/vendor/orders/{}/events", shop.order);
    let revoked = json!({"id": "r", "kind": "revoked", "reason": "stolen"});
    assert_eq!(shop.portal.post(&path, &shop.staff, revoked).await.status, 200);
    let first = shop.portal.get("/api/v1/revocations", "").await.text;
    let key = new_key(shop.folder(), "list", Usage::Revocation, shop.portal.now(), 30);
    write(&shop.file, &entry("revocation", &key));
    assert_eq!(shop.reload().await.status, 200);
    shop.portal.clock.advance(Duration::minutes(1));
    assert_eq!(shop.portal.get("/api/v1/revocations", "").await.text, first);
    // A second licence: a new list, by the new key, that hosts take after the first.
    let order = shop.portal.buy(&shop.customer, "professional-month", 1).await;
    let path = format!("/api/v1/vendor/orders/{order}/events");
    let revoked = json!({"id": "r", "kind": "revoked", "reason": "stolen"});
    assert_eq!(shop.portal.post(&path, &shop.staff, revoked).await.status, 200);
    let second = shop.portal.get("/api/v1/revocations", "").await.text;
    let mut store = TrustStore::built_in();
    store.apply_revocations(&first).unwrap();
    assert_eq!(store.apply_revocations(&second), Ok(trust::Applied::Replaced));
}

#[tokio::test]
async fn without_a_valid_key_the_portal_is_not_ready_and_says_so() {
    let mut shop = Shop::open().await;
    assert_eq!(shop.portal.get("/readyz", "").await.status, 200);
    let key = new_key(shop.folder(), "short", Usage::License, shop.portal.now() - Duration::days(1), 30);
    write(&shop.file, &entry("license", &key));
    let list = shop.reload().await;
    let warned = |list: &Value| list["items"].as_array().unwrap().iter().any(|k| k["warning"].is_string());
    assert!(warned(&list.body), "{}", list.text);
    shop.advance(30).await;
    assert_eq!(shop.portal.get("/readyz", "").await.status, 503);
    // Nothing is signed with what hosts would refuse; what is paid is told later.
    let path = format!("/api/v1/vendor/orders/{}/invoice-paid", shop.order);
    shop.portal.post(&path, &shop.staff, json!({"number": "1"})).await.problem(500, "internal");
    let later = new_key(shop.folder(), "later", Usage::License, shop.portal.now() - Duration::minutes(1), 30);
    write(&shop.file, &(entry("license", &key) + &entry("license", &later)));
    assert_eq!(shop.reload().await.status, 200);
    let paid = shop.portal.post(&path, &shop.staff, json!({"number": "1"})).await;
    assert_eq!(paid.status, 200, "{}", paid.text);
    assert_eq!(shop.portal.get("/readyz", "").await.status, 200);
}

async fn keys_command(config: &Path, what: &str) -> Output {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_sysmanage-portal"));
    command.arg("--config").arg(config).args(["keys", what]).stdin(Stdio::null());
    command.output().await.unwrap()
}

#[tokio::test]
async fn the_command_lists_keys_and_fails_where_one_ends_soon() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("portal.toml");
    let now = Utc::now();
    let short = new_key(folder.path(), "short", Usage::License, now - Duration::days(80), 90);
    write(&config, &entry("license", &short));
    let list = keys_command(&config, "list").await;
    assert!(list.status.success());
    let list: Value = serde_json::from_slice(&list.stdout).unwrap();
    assert_eq!((&list[0]["subject"], &list[0]["state"]), (&json!("short"), &json!("signs")));
    let check = keys_command(&config, "check").await;
    assert!(!check.status.success());
    assert!(String::from_utf8_lossy(&check.stderr).contains("no other key goes on from there"));
    let long = new_key(folder.path(), "long", Usage::License, now - Duration::days(1), 365);
    write(&config, &(entry("license", &short) + &entry("license", &long)));
    let check = keys_command(&config, "check").await;
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
    // No secret is in what the commands print.
    let secret = std::fs::read_to_string(&long.0).unwrap();
    let printed = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(!printed.contains(secret.lines().nth(1).unwrap()));
}
