//! What people are told.

use crate::world::{Host, build, days, start};
use licenses::{EngineBuild, Explanation, explain};

fn engines() -> [EngineBuild; 2] {
    [build("1.0.0", "2026-06-01"), EngineBuild::new("fleet_engine", "2.0.0".parse().unwrap(), start())]
}

fn at(host: &Host, day: i64) -> Explanation {
    explain(&engines(), &host.circumstances(), Some(start() + days(day)))
}

#[test]
fn an_explanation_tells_what_holds_why_and_what_would_unlock_it() {
    let host = Host::with(|c| c.id = "L1".to_owned());
    let explanation = at(&host, 0);
    let [automation, fleet] = &explanation.engines[..] else { panic!("two engines") };
    assert_eq!(automation.code, "granted");
    assert_eq!(automation.sentence, "automation_engine 1.0.0 is licensed until 2027-06-01 00:00 UTC.");
    assert_eq!(automation.unlocks, None);
    assert_eq!(fleet.code, "engine_not_included");
    assert_eq!(fleet.sentence, "fleet_engine 2.0.0 is locked: no installed licence names fleet_engine.");
    assert_eq!(fleet.unlocks.as_deref(), Some("Install a licence that names fleet_engine."));
    assert_eq!(explanation.licenses[0].id, "L1");
    assert_eq!(explanation.licenses[0].engines, ["automation_engine *"]);
}

#[test]
fn the_next_change_is_told_until_nothing_changes_any_more() {
    let host = Host::with(|_| {});
    let next = |day| at(&host, day).engines[0].next_change.clone();
    let change = next(0).unwrap();
    assert_eq!((change.at, change.code), (start() + days(365), "grace"));
    let change = next(370).unwrap();
    assert_eq!((change.at, change.state, change.code), (start() + days(379), "read_only", "expired"));
    assert_eq!(next(400), None);
}

#[test]
fn the_end_of_offline_time_is_a_change() {
    let host = Host::with(|c| c.offline_days = Some(30));
    let change = at(&host, 0).engines[0].next_change.clone().unwrap();
    assert_eq!(
        (change.at, change.code),
        (start() + days(30) + chrono::Duration::seconds(1), "offline_too_long")
    );
}

#[test]
fn another_day_can_be_asked_about_without_being_a_clock_fault() {
    let mut host = Host::with(|_| {});
    host.floor.observe_run(start() + days(5));
    host.now = start() + days(5);
    let past = at(&host, 1);
    assert_eq!(past.clock_set_back, None);
    assert_eq!(past.effective_at, start() + days(5));
    assert_eq!(past.engines[0].code, "granted");
}

#[test]
fn a_clock_set_back_is_explained() {
    let mut host = Host::with(|_| {});
    host.floor.observe_run(start() + days(400));
    let explanation = explain(&engines(), &host.circumstances(), None);
    let automation = &explanation.engines[0];
    assert_eq!(automation.code, "clock_set_back");
    assert!(automation.sentence.contains("setting the clock back gains nothing"), "{}", automation.sentence);
    assert!(automation.unlocks.as_deref().unwrap().contains("resets the clock"));
    assert!(explanation.clock_set_back.unwrap().decides);
    let nothing_installed = explain(&[], &host.circumstances(), None);
    assert!(!nothing_installed.clock_set_back.unwrap().decides);
}

#[test]
fn an_explanation_is_json_without_tokens() {
    let host = Host::with(|_| {});
    let json = serde_json::to_string(&at(&host, 0)).unwrap();
    assert!(json.contains("\"state\":\"granted\""), "{json}");
    assert!(!json.contains(&host.licenses.tokens()[0]));
}
