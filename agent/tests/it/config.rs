//! Configuration, back-off and addresses.

use std::time::Duration;

use sysmanage_agent::{
    backoff::Backoff,
    config::{self, Config, ConfigError},
    server::{Server, parse_fingerprint},
};

fn load(text: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("agent.toml"), text).unwrap();
    Config::load(folder.path(), environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
}

#[test]
fn a_missing_file_gives_the_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::load(folder.path(), []).unwrap();
    assert_eq!(config.tasks.concurrency, 8);
    assert_eq!(config.policy_path(folder.path()), folder.path().join("policy.toml"));
}

#[test]
fn the_environment_overrides_the_file() {
    let environment = [
        ("SYSMANAGE_AGENT__TASKS__CONCURRENCY", "3"),
        ("SYSMANAGE_AGENT__LOG__FILTER", "sysmanage_agent=debug"),
        ("UNRELATED", "x"),
    ];
    let config = load("[tasks]\nconcurrency = 9\n", &environment).unwrap();
    assert_eq!(config.tasks.concurrency, 3);
    assert_eq!(config.log.filter, "sysmanage_agent=debug");
}

#[test]
fn unknown_keys_and_senseless_values_are_refused() {
    assert!(matches!(load("[taks]\n", &[]), Err(ConfigError::Invalid(_))));
    assert!(matches!(load("[tasks]\nconcurrency = 0\n", &[]), Err(ConfigError::OutOfRange(_))));
    assert!(matches!(load("= 1", &[]), Err(ConfigError::Parse { .. })));
}

#[test]
fn another_data_folder_is_its_own_configuration_folder() {
    assert_eq!(
        config::folder("/var/lib/sysmanage-agent".as_ref()),
        std::path::Path::new("/etc/sysmanage-agent")
    );
    assert_eq!(config::folder("/tmp/x".as_ref()), std::path::Path::new("/tmp/x"));
}

#[test]
fn waits_grow_to_the_cap_and_are_never_zero() {
    let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
    let mut waits = Vec::new();
    for failures in 0..50 {
        let bound = backoff.bound();
        assert_eq!(bound, Duration::from_secs(1 << failures.min(6)).min(Duration::from_secs(60)));
        let wait = backoff.next_wait();
        assert!(wait <= bound && wait >= Duration::from_millis(100), "{wait:?} of {bound:?}");
        waits.push(wait);
    }
    waits.dedup();
    assert!(waits.len() > 40, "waits are random");
    backoff.reset();
    assert_eq!(backoff.bound(), Duration::from_secs(1));
}

#[test]
fn addresses_are_https_only() {
    assert_eq!(Server::parse("host.example").unwrap().url("/x"), "https://host.example:8444/x");
    assert_eq!(Server::parse("https://[::1]:1234").unwrap().authority(), "[::1]:1234");
    for wrong in ["http://host", "https://host/path", "https://", "https://ho st", "ftp://host", ""] {
        assert!(Server::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn fingerprints_may_have_colons() {
    let plain = "ab".repeat(32);
    let colons = vec!["AB"; 32].join(":");
    assert_eq!(parse_fingerprint(&plain), Some([0xab; 32]));
    assert_eq!(parse_fingerprint(&colons), Some([0xab; 32]));
    assert_eq!(parse_fingerprint("abcd"), None);
}
