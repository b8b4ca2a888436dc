//! Setting the clock back gains nothing; a clock that ran ahead can be healed.

use crate::world::{Host, build, claims, date, days, start};
use license_issuer::{Signer, development};
use licenses::ClockFloor;
use trust::{Namespace, Root};

#[test]
fn setting_the_clock_back_does_not_bring_a_lapsed_licence_back() {
    let mut host = Host::with(|_| {});
    host.floor.observe_run(start() + days(400));
    host.now = start() + days(1);
    let decision = host.decide(&build("1.0.0", "2026-06-01"));
    assert_eq!(decision.entitlement.code(), "expired");
    assert_eq!(decision.code(), "clock_set_back");
    let set_back = decision.clock_set_back.unwrap();
    assert!(set_back.decides);
    assert_eq!((set_back.now, set_back.floor), (start() + days(1), start() + days(400)));
    assert_eq!(decision.effective_at, start() + days(400));
}

#[test]
fn a_clock_that_is_behind_without_consequence_is_told_and_harms_nothing() {
    let mut host = Host::with(|_| {});
    host.floor.observe_run(start() + days(100));
    host.now = start() + days(50);
    let decision = host.decide(&build("1.0.0", "2026-06-01"));
    assert_eq!(decision.code(), "granted");
    assert!(!decision.clock_set_back.unwrap().decides);
}

#[test]
fn a_step_of_a_few_minutes_is_not_called_set_back() {
    let mut host = Host::with(|_| {});
    host.floor.observe_run(start() + chrono::Duration::minutes(4));
    assert_eq!(host.decide(&build("1.0.0", "2026-06-01")).clock_set_back, None);
}

#[test]
fn the_floor_is_the_greatest_of_all_that_was_seen() {
    let mut floor = ClockFloor::default();
    assert_eq!(floor.at(), None);
    floor.observe_run(date("2026-01-03"));
    floor.observe_record(date("2026-01-05"));
    floor.observe_signed(date("2026-01-04"));
    floor.observe_run(date("2026-01-01"));
    assert_eq!(floor.at(), Some(date("2026-01-05")));
    assert_eq!(floor.effective(date("2026-01-02")), date("2026-01-05"));
    assert_eq!(floor.effective(date("2026-02-01")), date("2026-02-01"));
}

#[test]
fn a_licences_issue_date_raises_the_floor() {
    let mut host = Host::with(|_| {});
    host.now = date("2000-01-01");
    assert_eq!(host.decide(&build("1.0.0", "2026-06-01")).effective_at, start());
}

#[test]
fn a_third_partys_date_stops_nobody_elses_engine() {
    let mut host = Host::with(|_| {});
    let key = development::acme_root_signer().public_key();
    let root = Root::third_party("acme", key, Namespace::new(["acme_*"]).unwrap()).unwrap();
    host.store.add_root(root).unwrap();
    let far = development::acme_license_signer()
        .issue_license(&development::claims(&["acme_tools"], date("2040-01-01")))
        .unwrap();
    host.licenses.install(&far, &host.store, None).unwrap();
    host.licenses.iter().for_each(|license| host.floor.learn(license));
    assert_eq!(host.floor.at(), Some(start()));
    assert_eq!(host.code_at(start()), "granted");
}

#[test]
fn the_floor_survives_a_restart() {
    let mut floor = ClockFloor::default();
    floor.observe_run(date("2026-01-03"));
    floor.observe_signed(date("2026-02-03"));
    let kept = serde_json::to_string(&floor).unwrap();
    assert_eq!(serde_json::from_str::<ClockFloor>(&kept).unwrap(), floor);
}

#[test]
fn a_clock_that_once_ran_years_ahead_is_healed_by_the_vendor() {
    let mut host = Host::with(|_| {});
    host.floor.observe_run(date("2099-01-01"));
    assert_eq!(host.code_at(start() + days(2)), "clock_set_back");
    host.install(&claims(|c| {
        c.id = "healing".to_owned();
        c.iat = start() + days(2);
        c.resets_clock = true;
    }));
    // Records of the wrong time are still in the database.
    host.floor.observe_record(date("2098-12-31"));
    assert_eq!(host.code_at(start() + days(2)), "granted");
    assert_eq!(host.floor.at(), Some(start() + days(2)));
}

#[test]
fn a_healing_licence_heals_once() {
    let mut host = Host::with(|c| c.resets_clock = true);
    host.floor.observe_run(start() + days(400));
    // It is learned again at every start.
    host.licenses.iter().for_each(|license| host.floor.learn(license));
    assert_eq!(host.floor.at(), Some(start() + days(400)));
    assert_eq!(host.code_at(start()), "clock_set_back");
}
