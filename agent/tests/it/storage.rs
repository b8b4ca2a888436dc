//! Private files.

use std::os::unix::fs::PermissionsExt;

use sysmanage_agent::{
    identity::Identity,
    storage::{self, DataDir},
};

fn mode(path: &std::path::Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_key_is_made_once_and_for_its_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let data = DataDir::open(&folder.path().join("data")).unwrap();
    let first = Identity::load_or_create(&data).unwrap().fingerprint();
    assert_eq!(Identity::load_or_create(&data).unwrap().fingerprint(), first);
    assert_eq!(mode(&data.key()), 0o600);
    assert_eq!(mode(data.path()), 0o700);
}

#[test]
fn a_damaged_key_is_an_error_not_a_new_key() {
    let folder = tempfile::tempdir().unwrap();
    let data = DataDir::open(folder.path()).unwrap();
    std::fs::write(data.key(), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").unwrap();
    assert!(Identity::load_or_create(&data).is_err());
}

#[test]
fn a_file_is_replaced_whole_and_stays_private() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.json");
    std::fs::write(&path, "old").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    storage::write_private(&path, b"new").unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"new");
    assert_eq!(mode(&path), 0o600);
    assert!(storage::read_optional(&path, 2).is_err(), "past the limit");
    assert_eq!(storage::read_optional(&folder.path().join("y"), 2).unwrap(), None);
}

#[test]
fn two_agents_do_not_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let data = DataDir::open(folder.path()).unwrap();
    let lock = storage::lock(&data).unwrap();
    storage::lock(&data).unwrap_err();
    drop(lock);
    storage::lock(&data).unwrap();
}

#[test]
fn a_second_agent_waits_for_the_first_to_be_gone_and_says_so_when_it_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let data = DataDir::open(folder.path()).unwrap();
    let first = storage::lock(&data).unwrap();
    let error = storage::lock(&data).unwrap_err();
    assert!(error.to_string().contains("another agent runs on"), "{error}");
    let leaving = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(200));
        drop(first);
    });
    storage::lock(&data).expect("what a killed agent left goes in a moment");
    leaving.join().unwrap();
}
