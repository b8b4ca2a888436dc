//! The owner's policy.

use chrono::{Local, TimeZone};
use proptest::prelude::*;
use sysmanage_agent::policy::{self, Policy, PolicyError, PolicyFile};

fn allowed(text: &str, command: &str) -> bool {
    Policy::parse(text).unwrap().allows_command(command, Local::now()).is_ok()
}

#[test]
fn no_file_allows_everything() {
    let folder = tempfile::tempdir().unwrap();
    let policy = PolicyFile::at(folder.path().join("policy.toml"));
    policy.allows_command("automation_engine.run_script").unwrap();
    policy.allows_engine("automation_engine").unwrap();
}

#[test]
fn denied_commands_and_engines_are_refused_whatever_is_allowed() {
    let text = "[commands]\nallow = [\"*\"]\ndeny = [\"automation_*.run_*\"]\n[engines]\ndeny = [\"av_?\"]";
    assert!(!allowed(text, "automation_engine.run_script"));
    assert!(allowed(text, "automation_engine.list"));
    assert!(!allowed(text, "av_x.scan"), "a forbidden engine's commands are forbidden");
    assert!(allowed(text, "core.ping"));
}

#[test]
fn an_allow_list_forbids_the_rest() {
    let text = "[commands]\nallow = [\"core.*\"]";
    assert!(allowed(text, "core.refresh_inventory"));
    assert!(!allowed(text, "automation_engine.run_script"));
}

#[test]
fn scripts_can_be_forbidden_altogether() {
    let text = "scripts = \"deny\"";
    for command in ["automation_engine.run_script", "x.exec", "y.shell", "z.script"] {
        assert!(!allowed(text, command), "{command}");
    }
    assert!(allowed(text, "x.describe"));
    assert!(allowed(text, "automation_engine.descriptions"));
}

#[test]
fn windows_hold_back_what_changes_the_machine() {
    let text = "always = [\"x.look\"]\n[[windows]]\ndays = [\"sat\"]\nfrom = \"22:00\"\nto = \"02:00\"";
    let policy = Policy::parse(text).unwrap();
    let at = |day, hour| Local.with_ymd_and_hms(2025, 3, day, hour, 30, 0).unwrap();
    // 8 March 2025 is a Saturday.
    assert!(policy.allows_command("x.change", at(8, 22)).is_ok());
    assert!(policy.allows_command("x.change", at(9, 1)).is_ok());
    assert!(policy.allows_command("x.change", at(9, 2)).is_err());
    assert!(policy.allows_command("x.change", at(8, 1)).is_err());
    assert!(policy.allows_command("x.look", at(8, 1)).is_ok());
    assert!(policy.allows_command("core.ping", at(8, 1)).is_ok());
}

#[test]
fn a_change_of_the_file_counts_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    let policy = PolicyFile::at(&path);
    policy.allows_command("x.y").unwrap();
    std::fs::write(&path, "[commands]\ndeny = [\"x.*\"]").unwrap();
    policy.allows_command("x.y").unwrap_err();
    std::fs::write(&path, "[commands]\ndeny = [\"z.*\"]").unwrap();
    policy.allows_command("x.y").unwrap();
    std::fs::remove_file(&path).unwrap();
    policy.allows_command("z.y").unwrap();
}

#[test]
fn a_broken_policy_forbids_everything_but_a_ping() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    std::fs::write(&path, "[comands]\n").unwrap();
    let policy = PolicyFile::at(&path);
    policy.allows_command("core.ping").unwrap();
    policy.allows_command("core.refresh_inventory").unwrap_err();
    policy.allows_engine("x").unwrap_err();
}

#[test]
fn a_policy_others_may_write_is_not_followed() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    std::fs::write(&path, "").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
    assert!(matches!(policy::load(&path), Err(PolicyError::Insecure { .. })));
}

fn matches_simply(pattern: &[char], name: &[char]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), _) => {
            matches_simply(rest, name) || (!name.is_empty() && matches_simply(pattern, &name[1..]))
        }
        (Some((p, rest)), Some((n, tail))) => (*p == '?' || p == n) && matches_simply(rest, tail),
        _ => false,
    }
}

proptest! {
    #[test]
    fn patterns_match_as_the_simple_definition_says(pattern in "[ab*?.]{0,8}", name in "[ab.]{0,8}") {
        let (p, n): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
        prop_assert_eq!(policy::matches(&pattern, &name), matches_simply(&p, &n));
    }

    #[test]
    fn no_text_makes_the_policy_parser_panic(text in "\\PC{0,200}") {
        let _parsed = Policy::parse(&text);
    }
}
