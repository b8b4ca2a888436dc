//! Bundles: written and read by the client's own way; what is not a bundle is refused.

use std::{fs::File, io::Write, path::Path};

use chrono::TimeDelta;
use distribution::{
    DistributionError, FLOORS, Limits,
    bundle::{self, About, Bundle},
};
use tar::{Builder, EntryType, Header};

use crate::{
    publisher::Portal,
    world::{broken, listed},
};

/// Everything that the portal's folder holds, in a bundle.
fn bundle_of(portal: &Portal, out: &Path) {
    let about = About::new("acme", portal.now);
    let file = File::create(out).expect("a file");
    let mut writer = bundle::write(file, &about, &["token.one".into(), "token.two".into()]).expect("begun");
    for entry in std::fs::read_dir(portal.folder.path().join("metadata")).expect("a folder") {
        let entry = entry.expect("an entry");
        let bytes = std::fs::read(entry.path()).expect("read");
        writer.metadata(&entry.file_name().to_string_lossy(), &bytes).expect("added");
    }
    let all =
        portal.contents.targets.iter().chain(portal.contents.publishers.iter().flat_map(|p| &p.targets));
    for file in all {
        let sum: String = file.sha256.iter().map(|b| format!("{b:02x}")).collect();
        let name = distribution::consistent_name(&file.path, &file.sha256);
        let bytes = File::open(portal.folder.path().join("targets").join(name)).expect("a file");
        writer.target(&sum, file.length, bytes).expect("added");
    }
    writer.finish().expect("ended");
}

async fn open(path: &Path) -> Result<Bundle, DistributionError> {
    bundle::open(path, &Limits::default()).await
}

#[tokio::test]
async fn a_bundle_is_read_as_a_portal_is() {
    let mut portal = Portal::new();
    portal.add(FLOORS, b"{\"backup\": \"1.0.0\"}");
    let path = portal.release("SysManage", "backup", "1.0.0");
    portal.publish();
    let out = portal.folder.path().join("acme.bundle");
    bundle_of(&portal, &out);
    let bundle = open(&out).await.expect("opened");
    assert_eq!(bundle.about().organisation, "acme");
    assert_eq!(bundle.licenses(), ["token.one", "token.two"]);
    // Carried to a host for a week: too old for a portal, not for a bundle.
    let mut client = portal.client();
    client.now += TimeDelta::days(8);
    assert_eq!(client.refresh(&bundle).await.err().map(|e| e.code()), Some("expired"));
    let client = client.with_patience(TimeDelta::days(30));
    let repository = client.refresh(&bundle).await.expect("believed");
    assert_eq!(listed(&repository), ["backup 1.0.0"]);
    assert_eq!(broken(&repository), []);
    assert!(bundle.holds(&repository.releases()[0].sha256));
    assert_eq!(repository.floors(&bundle).await.expect("floors").len(), 1);
    let saved = portal.folder.path().join("saved");
    let mut options = tokio::fs::File::options();
    let mut file = options.read(true).write(true).create_new(true).open(&saved).await.expect("a file");
    repository.save(&bundle, &path, &mut file, 0, |_| {}).await.expect("saved");
    assert_eq!(std::fs::read(&saved).expect("read"), b"backup 1.0.0");
    // From the middle of a part that lies in the middle of the bundle.
    repository.save(&bundle, &path, &mut file, 7, |_| {}).await.expect("resumed");
    assert_eq!(std::fs::read(&saved).expect("read"), b"backup 1.0.0");
    let stored = client.stored().await.expect("trusted").expect("a refresh was done");
    assert_eq!(listed(&stored), ["backup 1.0.0"]);
}

#[tokio::test]
async fn an_older_bundle_is_a_rollback() {
    let mut portal = Portal::new();
    portal.release("SysManage", "backup", "1.0.0");
    portal.publish();
    let (old, new) = (portal.folder.path().join("old"), portal.folder.path().join("new"));
    bundle_of(&portal, &old);
    portal.release("SysManage", "backup", "1.1.0");
    portal.publish();
    bundle_of(&portal, &new);
    let client = portal.client();
    client.refresh(&open(&new).await.expect("opened")).await.expect("believed");
    let refused = client.refresh(&open(&old).await.expect("opened")).await;
    assert_eq!(refused.err().map(|e| e.code()), Some("rollback"));
}

/// A bundle with one entry more.
fn forged(path: &Path, name: &[u8], kind: EntryType, size: u64, bytes: &[u8]) {
    let mut builder = Builder::new(File::create(path).expect("a file"));
    let about = serde_json::to_vec(&About::new("acme", chrono::Utc::now())).expect("JSON");
    for (name, bytes) in [("bundle.json", about.as_slice()), ("licenses.jws", b"")] {
        let mut header = Header::new_ustar();
        header.set_size(bytes.len() as u64);
        builder.append_data(&mut header, name, bytes).expect("added");
    }
    let mut header = Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_cksum();
    let file = builder.into_inner().expect("ended");
    // Over the two blocks that end an archive.
    let end = file.metadata().expect("a length").len() - 1024;
    file.set_len(end).expect("cut");
    let mut file = File::options().append(true).open(path).expect("a file");
    file.write_all(header.as_bytes()).expect("written");
    file.write_all(bytes).expect("written");
    file.write_all(&vec![0; 1024 + (512 - bytes.len() % 512) % 512]).expect("written");
}

#[tokio::test]
async fn what_no_bundle_has_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("forged");
    let sum = format!("targets/{}", "a".repeat(64));
    forged(&path, b"metadata/1.root.json", EntryType::Regular, 2, b"{}");
    open(&path).await.expect("a plain file of a bundle's name is taken");
    for (name, kind, size, why) in [
        ("../../etc/passwd", EntryType::Regular, 2, "not part of a bundle"),
        ("/etc/passwd", EntryType::Regular, 2, "not part of a bundle"),
        ("metadata/../x.json", EntryType::Regular, 2, "not part of a bundle"),
        ("metadata/.hidden", EntryType::Regular, 2, "not part of a bundle"),
        ("targets/abc", EntryType::Regular, 2, "not part of a bundle"),
        ("metadata/1.root.json", EntryType::Symlink, 0, "no plain file"),
        ("metadata/1.root.json", EntryType::GNULongName, 2, "no plain file"),
        ("metadata/1.root.json", EntryType::XHeader, 2, "no plain file"),
        ("bundle.json", EntryType::Regular, 2, "twice"),
        ("metadata/1.root.json", EntryType::Regular, 9 << 20, "too long"),
        (&sum, EntryType::Regular, 1 << 20, "too long"),
        (&sum, EntryType::Regular, 7 << 30, "too long"),
    ] {
        forged(&path, name.as_bytes(), kind, size, b"{}");
        let error = open(&path).await.expect_err(name);
        assert!(error.to_string().contains(why), "{name}: {error}");
    }
    std::fs::write(&path, b"not a bundle at all").expect("written");
    assert_eq!(open(&path).await.expect_err("refused").code(), "bad_bundle");
    std::fs::write(&path, vec![0; 4096]).expect("written");
    assert!(open(&path).await.expect_err("refused").to_string().contains("missing"));
}
