//! What each manager is asked to run, written out: `golden/plans.txt` beside this file.

use std::fmt::Write;

use agent_protocol::core_command::Manager;

use super::{Action, Exit, Request, Upgrading, manager};

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn requests() -> Vec<(&'static str, Request)> {
    let request = |action| Request { action, dry_run: false, lock_wait_s: 120 };
    let remove = |purge, autoremove| Action::Remove { packages: names(&["nginx"]), purge, autoremove };
    let install = || Action::Install(names(&["nginx", "curl"]));
    let mut all = vec![
        ("install", request(install())),
        ("remove", request(remove(false, false))),
        ("purge", request(remove(true, false))),
        ("autoremove", request(remove(false, true))),
        ("upgrade all", request(Action::Upgrade(Upgrading::All))),
        ("upgrade some", request(Action::Upgrade(Upgrading::Some(names(&["nginx"]))))),
        ("upgrade security", request(Action::Upgrade(Upgrading::Security))),
        ("refresh", request(Action::Refresh)),
    ];
    all.push(("dry install", Request { dry_run: true, ..request(install()) }));
    all.push(("dry upgrade", Request { dry_run: true, ..request(Action::Upgrade(Upgrading::All)) }));
    all
}

fn plans() -> String {
    let mut text = String::new();
    for which in Manager::ALL {
        for (what, request) in requests() {
            write!(text, "{which:<8} {what:<17}").expect("text takes text");
            match manager(which).plan(&request) {
                Err(unsupported) => writeln!(text, "! {unsupported}"),
                Ok(plan) => {
                    let step = |s: &super::Step| format!("{} {}", s.program, s.args.join(" "));
                    writeln!(text, "{}", plan.steps.iter().map(step).collect::<Vec<_>>().join(" && "))
                }
            }
            .expect("text takes text");
        }
    }
    text
}

#[test]
fn every_manager_is_asked_in_its_own_words() {
    assert_eq!(plans(), include_str!("golden/plans.txt"));
}

#[test]
fn names_come_last_and_after_what_ends_the_options() {
    let evil = Request {
        action: Action::Install(names(&["--allow-unauthenticated"])),
        dry_run: false,
        lock_wait_s: 1,
    };
    for which in Manager::ALL.into_iter().filter(|m| !matches!(m, Manager::Winget | Manager::Choco)) {
        let plan = manager(which).plan(&evil).expect("a plan");
        let args = &plan.steps[0].args;
        assert_eq!(args[args.len() - 2..], ["--", "--allow-unauthenticated"], "{which}");
    }
}

#[test]
fn what_apt_says_becomes_a_code() {
    let apt = manager(Manager::Apt);
    let failed = Exit { code: Some(100), ..Exit::default() };
    for (said, code) in [
        ("E: Unable to locate package nginy", "package_unknown"),
        ("E: Version '9' for 'nginx' was not found", "package_unknown"),
        (
            "E: Held packages were changed and -y was used without --allow-change-held-packages.",
            "package_held",
        ),
        ("E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 7 (apt)", "locked"),
        ("E: You don't have enough free space in /var/cache/apt/archives/.", "no_space"),
        ("E: Failed to fetch http://h/x.deb  Could not connect to h:80", "network"),
        ("E: Sub-process /usr/bin/dpkg returned an error code (1)", "package_script_failed"),
        ("E: dpkg was interrupted, you must manually run 'dpkg --configure -a'", "dpkg_interrupted"),
        ("E: Unable to correct problems, you have held broken packages.", "dependencies_unmet"),
        ("E: something new", "command_failed"),
    ] {
        let failure = apt.failure(&failed, said, false).expect("a failure");
        assert_eq!(failure.code, code, "{said}");
        assert!(failure.message.contains(said.trim_start_matches("E: ")), "{}", failure.message);
    }
    assert_eq!(apt.failure(&Exit { code: Some(0), ..Exit::default() }, "E: old words", false), None);
}

#[test]
fn only_what_comes_from_a_security_archive_is_a_security_update() {
    let apt = manager(Manager::Apt);
    let security = Request { action: Action::Upgrade(Upgrading::Security), dry_run: false, lock_wait_s: 1 };
    assert!(apt.survey(&security).is_some());
    let said = "Inst libssl3 [3.0.11-1] (3.0.14-1 Debian-Security:12/stable-security [amd64])\n\
        Inst vim [1] (2 Debian:12.5/stable [amd64])\nInst jq [1] (2 UbuntuESMApps:22.04/jammy-apps-security [amd64])\n";
    let found = apt.surveyed(&security, said);
    assert_eq!(found.action, Action::Upgrade(Upgrading::Some(names(&["libssl3", "jq"]))));
}
