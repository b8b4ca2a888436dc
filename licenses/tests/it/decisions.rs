//! What a licence grants: every rule of the crate's documentation.

use crate::world::{Host, build, claims, date, days, start};
use licenses::{EngineGrant, Entitlement, LockReason};
use trust::KeyId;

fn versions(requirement: &str) -> Vec<EngineGrant> {
    vec![EngineGrant { id: crate::world::ENGINE.to_owned(), versions: requirement.parse().unwrap() }]
}

#[test]
fn without_a_licence_an_engine_is_locked() {
    assert_eq!(Host::new().code_at(start()), "no_license");
}

#[test]
fn a_licence_lapses_into_grace_and_then_into_read_only_for_ever() {
    let host = Host::with(|_| {});
    for (day, state) in [
        (0, "granted"),
        (364, "granted"),
        (365, "grace"),
        (378, "grace"),
        (379, "expired"),
        (40_000, "expired"),
    ] {
        assert_eq!(host.code_at(start() + days(day)), state, "day {day}");
    }
}

#[test]
fn the_states_allow_what_they_say() {
    let mut host = Host::with(|_| {});
    let build = build("1.0.0", "2026-06-01");
    for (day, read, write) in [(0, true, true), (370, true, true), (400, true, false)] {
        host.now = start() + days(day);
        let decision = host.decide(&build);
        assert_eq!((decision.may_read(), decision.may_write()), (read, write), "day {day}");
    }
    let locked = Host::new().decide(&build);
    assert!(!locked.may_read() && !locked.may_write());
}

#[test]
fn a_licence_for_another_engine_grants_nothing() {
    let host = Host::with(|c| c.engines[0].id = "fleet_engine".to_owned());
    assert_eq!(host.code_at(start()), "engine_not_included");
}

#[test]
fn the_tier_grants_nothing() {
    let host = Host::with(|c| {
        c.engines[0].id = "fleet_engine".to_owned();
        c.tier = "enterprise-everything".to_owned();
    });
    assert_eq!(host.code_at(start()), "engine_not_included");
}

#[test]
fn a_licence_is_for_the_versions_it_names() {
    let host = Host::with(|c| c.engines = versions(">=1.2, <2"));
    for (version, code) in [
        ("1.1.9", "version_not_included"),
        ("1.2.0", "granted"),
        ("1.9.0", "granted"),
        ("1.3.0-beta.1", "granted"),
        ("2.0.0-rc.1", "version_not_included"),
        ("2.0.0", "version_not_included"),
    ] {
        assert_eq!(host.decide(&build(version, "2026-06-01")).code(), code, "{version}");
    }
}

#[test]
fn an_engine_may_be_named_for_several_ranges() {
    let host = Host::with(|c| {
        c.engines = [versions("^1"), versions("=3.1.4")].concat();
    });
    assert_eq!(host.decide(&build("3.1.4", "2026-06-01")).code(), "granted");
    let Entitlement::Locked { reason: LockReason::VersionNotIncluded { versions, .. } } =
        host.decide(&build("2.0.0", "2026-06-01")).entitlement
    else {
        panic!("locked by version")
    };
    assert_eq!(versions, "^1 or =3.1.4");
}

#[test]
fn a_licence_begins_at_nbf() {
    let host = Host::with(|c| c.nbf = start() + days(10));
    assert_eq!(host.code_at(start() + days(9)), "not_yet_valid");
    assert_eq!(host.code_at(start() + days(10)), "granted");
}

#[test]
fn a_bound_licence_works_on_its_host_only() {
    let (mine, other): (KeyId, KeyId) = ("11".repeat(16).parse().unwrap(), "22".repeat(16).parse().unwrap());
    let mut host = Host::with(|c| c.instance = Some(mine.clone()));
    for (instance, code) in
        [(None, "wrong_instance"), (Some(other), "wrong_instance"), (Some(mine), "granted")]
    {
        host.instance = instance;
        assert_eq!(host.code_at(start()), code);
    }
}

#[test]
fn a_revoked_licence_locks_and_a_revoked_key_locks_all_it_signed() {
    let mut host = Host::with(|c| c.id = "L1".to_owned());
    host.revoke(&["L1".to_owned()], 1);
    assert_eq!(host.code_at(start()), "revoked");

    let mut host = Host::with(|_| {});
    let mut body = trust::RevocationBody::empty(1, start());
    body.certificates.push(trust::RevokedCertificate {
        serial: None,
        key: Some(license_issuer::development::license_signer().key_id()),
        reason: "stolen".to_owned(),
    });
    let text = license_issuer::development::revocation_signer().issue_revocations(&body).unwrap();
    host.store.apply_revocations(&text).unwrap();
    assert_eq!(host.code_at(start()), "revoked");
}

#[test]
fn builds_of_the_supported_time_keep_working_for_ever() {
    let mut host = Host::with(|c| c.support_until = Some(date("2026-12-31")));
    host.now = start() + days(5000);
    assert_eq!(host.decide(&build("1.0.0", "2026-12-31")).code(), "granted");
    assert_eq!(host.decide(&build("1.1.0", "2027-01-01")).code(), "expired");
    host.now = start() + days(300);
    assert_eq!(
        host.decide(&build("1.1.0", "2027-01-01")).code(),
        "granted",
        "within the term every build is"
    );
}

#[test]
fn a_trial_has_no_fallback() {
    let host = Host::with(|c| {
        c.trial = true;
        c.support_until = Some(date("2030-01-01"));
    });
    assert_eq!(host.code_at(start() + days(400)), "expired");
}

#[test]
fn a_licence_without_end_is_for_the_builds_that_were_paid_for() {
    let mut host = Host::with(|c| {
        c.exp = None;
        c.support_until = Some(date("2026-12-31"));
    });
    host.now = start() + days(5000);
    assert_eq!(host.decide(&build("1.0.0", "2026-06-01")).code(), "granted");
    assert_eq!(host.decide(&build("1.1.0", "2027-01-01")).code(), "version_not_included");
    let endless = Host::with(|c| c.exp = None);
    assert_eq!(endless.code_at(date("2999-01-01")), "granted");
}

#[test]
fn a_licence_that_asks_for_contact_is_read_only_without_it() {
    let mut host = Host::with(|c| {
        c.offline_days = Some(30);
        c.support_until = Some(date("2030-01-01"));
    });
    assert_eq!(host.code_at(start() + days(30)), "granted");
    assert_eq!(
        host.code_at(start() + days(31)),
        "offline_too_long",
        "the fallback waives only the end of the term"
    );
    host.last_contact = Some(start() + days(20));
    assert_eq!(host.code_at(start() + days(50)), "granted");
    assert_eq!(host.code_at(start() + days(51)), "offline_too_long");
}

#[test]
fn the_most_generous_licence_decides() {
    let mut host = Host::with(|c| c.exp = Some(start() + days(10)));
    host.install(&claims(|c| {
        c.id = "longer".to_owned();
        c.exp = Some(start() + days(100));
    }));
    host.install(&claims(|c| c.engines[0].id = "fleet_engine".to_owned()));
    let decision = host.decide(&build("1.0.0", "2026-06-01"));
    assert_eq!(decision.entitlement, Entitlement::Granted { until: Some(start() + days(100)) });
    assert_eq!(decision.license.as_deref(), Some("longer"));
}

#[test]
fn of_several_reasons_the_most_telling_is_told() {
    let mut host = Host::with(|c| c.engines[0].id = "fleet_engine".to_owned());
    host.install(&claims(|c| c.id = "L1".to_owned()));
    host.revoke(&["L1".to_owned()], 1);
    assert_eq!(host.code_at(start()), "revoked");
}

#[test]
fn dates_at_the_end_of_time_do_no_harm() {
    let host = Host::with(|c| {
        c.exp = Some(chrono::DateTime::from_timestamp(8_210_266_876_799, 0).unwrap());
        c.grace_days = u16::MAX;
        c.offline_days = Some(u16::MAX);
    });
    assert_eq!(host.code_at(start()), "granted");
}
