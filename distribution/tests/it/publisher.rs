//! What we write is read by python-tuf and by our own client; the same again writes nothing.

use std::{path::PathBuf, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use distribution::{
    Client, DistributionError, EngineRelease, FLOORS, FolderTransport, Repository, built_in_root,
    consistent_name, engine_path,
    publish::{
        Contents, Current, Edition, Lifetimes, OnlineKeys, PublicKey, PublishError, Publisher, RoleKeys,
        RootBody, SignKey, TargetFile, edition, first_root, next_root, publisher_role, read_root,
    },
};
use license_issuer::{FileSigner, Signer, development, generate_key};
use ring::digest::{SHA256, digest};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    python,
    world::{broken, listed, now},
};

#[derive(Clone)]
struct Key(Arc<FileSigner>);

impl Key {
    fn new() -> Self {
        let pem = generate_key().expect("a key");
        Self(Arc::new(FileSigner::parse(pem.as_bytes()).expect("a key")))
    }

    fn boxed(&self) -> Box<dyn SignKey> {
        Box::new(self.clone())
    }
}

impl SignKey for Key {
    fn public_key(&self) -> PublicKey {
        *self.0.public_key().as_bytes()
    }

    fn sign(&self, bytes: &[u8]) -> Result<[u8; 64], PublishError> {
        let signature = self.0.sign(bytes).map_err(|e| PublishError::Sign(Box::new(e)))?;
        Ok(*signature.as_bytes())
    }
}

/// A portal in a folder.
pub struct Portal {
    pub folder: TempDir,
    pub roots: Vec<Vec<u8>>,
    pub current: Current,
    pub contents: Contents,
    pub now: DateTime<Utc>,
    root: Key,
    body: RootBody,
    timestamp: Key,
    publishers: Key,
    keys: OnlineKeys,
}

impl Portal {
    pub fn new() -> Self {
        let [root, timestamp, snapshot, targets, publishers] = std::array::from_fn(|_| Key::new());
        let any = |key: &Key| RoleKeys::any_of([key.public_key()]);
        let body = RootBody {
            root: any(&root),
            timestamp: any(&timestamp),
            snapshot: any(&snapshot),
            targets: any(&targets),
        };
        let expires = now() + TimeDelta::days(30_000);
        let first = first_root(&body, expires, &[&root]).expect("a root");
        let keys = OnlineKeys {
            timestamp: vec![timestamp.boxed()],
            snapshot: vec![snapshot.boxed()],
            targets: vec![targets.boxed()],
            publishers: vec![publishers.boxed()],
        };
        let mut portal = Self {
            folder: tempfile::tempdir().expect("a folder"),
            roots: Vec::new(),
            current: Current::new(),
            contents: Contents::default(),
            // python-tuf looks at the clock of the machine.
            now: Utc::now(),
            root,
            body,
            timestamp,
            publishers,
            keys,
        };
        portal.add_root(first);
        portal
    }

    fn add_root(&mut self, bytes: Vec<u8>) {
        self.roots.push(bytes.clone());
        self.put(&format!("metadata/{}.root.json", self.roots.len()), &bytes);
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("written");
    }

    fn file(&self, path: &str, bytes: &[u8], custom: Value) -> TargetFile {
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest(&SHA256, bytes).as_ref());
        self.put(&format!("targets/{}", consistent_name(path, &sha256)), bytes);
        TargetFile { path: path.to_owned(), length: bytes.len() as u64, sha256, custom }
    }

    pub fn add(&mut self, path: &str, bytes: &[u8]) {
        let file = self.file(path, bytes, Value::Null);
        self.contents.targets.retain(|known| known.path != path);
        self.contents.targets.push(file);
    }

    pub fn release(&mut self, publisher: &str, engine: &str, version: &str) -> String {
        let release = EngineRelease {
            engine: engine.to_owned(),
            version: version.parse().expect("a version"),
            channel: "stable".into(),
            target: "x86_64-unknown-linux-gnu".into(),
            name: "An engine".into(),
            description: "It does \u{fc}mlauts and \\ \"quotes\".".into(),
            publisher: publisher.to_owned(),
            tier: "professional".into(),
            entitlement: None,
            requires: serde_json::json!({"api": 1, "host": ">=0.1", "agent": null}),
            notes: "# 1.0.0\n\n* First.\n".into(),
            built_at: now(),
            published_at: now(),
        };
        let path = engine_path(engine, &release.version, &release.target);
        let custom = serde_json::to_value(&release).expect("JSON");
        let file = self.file(&path, format!("{engine} {version}").as_bytes(), custom);
        let role = publisher_role(publisher);
        let publishers = &mut self.contents.publishers;
        if !publishers.iter().any(|p| p.role == role) {
            publishers.push(Publisher { role: role.clone(), engines: Vec::new(), targets: Vec::new() });
        }
        let publisher = publishers.iter_mut().find(|p| p.role == role).expect("just added");
        if !publisher.engines.iter().any(|known| known == engine) {
            publisher.engines.push(engine.to_owned());
        }
        publisher.targets.push(file);
        path
    }

    /// Write what is new, and tell which roles are.
    pub fn publish(&mut self) -> Vec<String> {
        let root = self.roots.last().expect("a root");
        let made = edition(root, &self.current, &self.contents, &self.keys, self.now, &Lifetimes::default());
        let Edition { roles, files, renew_at } = made.expect("an edition");
        assert!(renew_at > self.now);
        for (role, bytes) in &roles {
            self.put(&format!("metadata/{}", files[role]), bytes);
        }
        let new = roles.keys().cloned().collect();
        self.current.extend(roles);
        new
    }

    pub fn transport(&self) -> FolderTransport {
        FolderTransport::new(self.folder.path())
    }

    pub fn client(&self) -> Client {
        Client::new(self.roots[0].clone(), self.folder.path().join("trusted"), self.now)
    }

    async fn refresh(&self) -> Result<Repository, DistributionError> {
        self.client().refresh(&self.transport()).await
    }

    fn python(&self, paths: &[&str]) -> Result<Value, String> {
        let root: PathBuf = self.folder.path().join("metadata/1.root.json");
        python::look(&root, self.folder.path(), &self.folder.path().join("python"), paths)
    }
}

#[tokio::test]
async fn python_tuf_reads_what_we_write() {
    let mut portal = Portal::new();
    portal.add(FLOORS, b"{}");
    let backup = portal.release("SysManage", "backup", "1.0.0");
    let audit = portal.release("Acme & Söhne", "audit", "0.2.0-rc.1");
    portal.publish();
    let found = portal.python(&[FLOORS, &backup, &audit, "engines/backup/9.9.9/x.engine"]).expect("read");
    let sum = |text: &str| -> Value {
        let sum = digest(&SHA256, text.as_bytes());
        sum.as_ref().iter().map(|b| format!("{b:02x}")).collect::<String>().into()
    };
    assert_eq!(found[FLOORS], sum("{}"));
    assert_eq!(found[&backup], sum("backup 1.0.0"));
    assert_eq!(found[&audit], sum("audit 0.2.0-rc.1"));
    assert_eq!(found["engines/backup/9.9.9/x.engine"], Value::Null);
    let repository = portal.refresh().await.expect("believed");
    assert_eq!(listed(&repository), ["audit 0.2.0-rc.1", "backup 1.0.0"]);
    assert_eq!(broken(&repository), []);
    assert_eq!(repository.releases()[1].release.notes, "# 1.0.0\n\n* First.\n");

    // The next edition, and a root with other keys, are read by a client that knows the first.
    portal.release("SysManage", "backup", "1.1.0");
    portal.rotate(|portal| {
        let (root, timestamp) = (Key::new(), Key::new());
        portal.body.root = RoleKeys::any_of([root.public_key()]);
        portal.body.timestamp = RoleKeys::any_of([timestamp.public_key()]);
        portal.keys.timestamp = vec![timestamp.boxed()];
        portal.timestamp = timestamp;
        root
    });
    portal.publish();
    let path = "engines/backup/1.1.0/x86_64-unknown-linux-gnu.engine";
    assert_eq!(portal.python(&[path]).expect("read")[path], sum("backup 1.1.0"));
    assert_eq!(listed(&portal.refresh().await.expect("believed")).len(), 3);
}

impl Portal {
    fn rotate(&mut self, change: impl FnOnce(&mut Self) -> Key) {
        let old = self.root.clone();
        let new = change(self);
        let before = self.roots.last().expect("a root").clone();
        let expires = self.now + TimeDelta::days(365);
        let missing = next_root(&before, &self.body, expires, &[&old]);
        assert!(matches!(missing, Err(PublishError::NotEnoughKeys { .. })), "the new key must sign too");
        let missing = next_root(&before, &self.body, expires, &[&new]);
        assert!(matches!(missing, Err(PublishError::NotEnoughKeys { .. })), "the old key must sign too");
        let next = next_root(&before, &self.body, expires, &[&old, &new]).expect("a root");
        let (version, until, body) = read_root(&next).expect("reads");
        assert_eq!(version, self.roots.len() as u64 + 1);
        assert_eq!((until.timestamp(), &body), (expires.timestamp(), &self.body));
        self.add_root(next);
        self.root = new;
    }
}

#[test]
fn only_what_changed_is_written() {
    let mut portal = Portal::new();
    portal.add(FLOORS, b"{}");
    portal.release("Acme", "backup", "1.0.0");
    portal.release("Zeta", "audit", "1.0.0");
    let (acme, zeta) = (publisher_role("Acme"), publisher_role("Zeta"));
    assert_eq!(portal.publish(), [acme.as_str(), &zeta, "snapshot", "targets", "timestamp"]);
    assert_eq!(portal.publish(), [""; 0]);
    portal.release("Acme", "backup", "1.1.0");
    assert_eq!(portal.publish(), [acme.as_str(), "snapshot", "timestamp"]);
    portal.add(FLOORS, b"{\"backup\": \"1.1.0\"}");
    assert_eq!(portal.publish(), ["snapshot", "targets", "timestamp"]);
    // Signed anew before they expire, the short-lived first.
    portal.now += TimeDelta::hours(11);
    assert_eq!(portal.publish(), [""; 0]);
    portal.now += TimeDelta::hours(2);
    assert_eq!(portal.publish(), ["timestamp"]);
    portal.now += TimeDelta::days(4);
    assert_eq!(portal.publish(), ["snapshot", "timestamp"]);
    portal.now += TimeDelta::days(50);
    assert_eq!(portal.publish(), [acme.as_str(), &zeta, "snapshot", "targets", "timestamp"]);
}

#[tokio::test]
async fn what_is_withdrawn_is_listed_no_more_and_its_role_stays() {
    let mut portal = Portal::new();
    portal.release("Acme", "backup", "1.0.0");
    portal.release("Zeta", "audit", "1.0.0");
    portal.publish();
    portal.refresh().await.expect("believed");
    portal.contents.publishers.retain(|p| p.role != publisher_role("Zeta"));
    portal.publish();
    // The snapshot lists its role still, or this would be a rollback.
    let repository = portal.refresh().await.expect("believed");
    assert_eq!(listed(&repository), ["backup 1.0.0"]);
    assert_eq!(broken(&repository), []);
}

#[test]
fn nothing_is_signed_with_keys_that_the_root_does_not_name() {
    let mut portal = Portal::new();
    portal.keys.snapshot = vec![portal.timestamp.boxed()];
    let root = portal.roots[0].clone();
    let made =
        edition(&root, &portal.current, &portal.contents, &portal.keys, portal.now, &Lifetimes::default());
    let error = made.expect_err("a wrong key");
    assert!(
        matches!(&error, PublishError::NotEnoughKeys { role, found: 0, .. } if role == "snapshot"),
        "{error}"
    );
}

#[tokio::test]
async fn other_keys_of_publishers_sign_anew_without_a_change() {
    let mut portal = Portal::new();
    portal.release("Acme", "backup", "1.0.0");
    portal.publish();
    portal.publishers = Key::new();
    portal.keys.publishers = vec![portal.publishers.boxed()];
    let role = publisher_role("Acme");
    assert_eq!(portal.publish(), [role.as_str(), "snapshot", "targets", "timestamp"]);
    assert_eq!(broken(&portal.refresh().await.expect("believed")), []);
}

#[test]
fn names_that_clients_refuse_are_not_published() {
    let mut portal = Portal::new();
    portal.contents.targets.push(TargetFile {
        path: "../etc/passwd".into(),
        length: 0,
        sha256: [0; 32],
        custom: Value::Null,
    });
    let root = portal.roots[0].clone();
    let made =
        edition(&root, &portal.current, &portal.contents, &portal.keys, portal.now, &Lifetimes::default());
    assert!(matches!(made, Err(PublishError::Name { .. })));
    let root =
        RootBody { timestamp: RoleKeys { threshold: 2, ..portal.body.timestamp.clone() }, ..portal.body };
    let made = first_root(&root, portal.now, &[&portal.root]);
    assert!(matches!(made, Err(PublishError::Threshold("timestamp"))));
}

#[test]
fn roles_of_publishers_are_readable_and_distinct() {
    assert_ne!(publisher_role("Acme GmbH"), publisher_role("Acme-GmbH"));
    assert!(publisher_role("Acme GmbH").starts_with("publisher-acme-gmbh-"));
    assert!(publisher_role("\u{6f22}\u{5b57}").starts_with("publisher--"));
}

#[test]
fn the_development_root_is_that_of_the_development_keys() {
    let (version, expires, body) = read_root(built_in_root().expect("a debug build has one")).expect("reads");
    assert_eq!((version, expires.format("%Y").to_string().as_str()), (1, "2045"));
    let keys = [&body.root, &body.timestamp, &body.snapshot, &body.targets].map(|role| role.keys.clone());
    let signers = [
        development::tuf_root_signer(),
        development::tuf_timestamp_signer(),
        development::tuf_snapshot_signer(),
        development::tuf_targets_signer(),
    ];
    assert_eq!(keys, signers.map(|signer| vec![*signer.public_key().as_bytes()]));
}
