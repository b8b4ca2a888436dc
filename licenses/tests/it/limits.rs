//! How many machines may be approved.

use crate::world::{Host, claims, days, start};
use licenses::{Limits, MachineKind};

fn limits(host: &Host, day: i64) -> Limits {
    host.licenses.limits(host.store.revocations(), start() + days(day), host.instance.as_ref())
}

#[test]
fn machines_are_admitted_up_to_the_limit() {
    let limits = limits(&Host::with(|c| c.hosts = Some(10)), 0);
    assert!(limits.admits(MachineKind::Hosts, 9, 1).is_ok());
    let refused = limits.admits(MachineKind::Hosts, 10, 1).unwrap_err();
    assert_eq!((refused.code(), refused.limit), ("machine_limit_reached", 10));
    assert!(limits.admits(MachineKind::Hosts, 0, 11).is_err());
    assert!(limits.admits(MachineKind::Hosts, u64::MAX, u64::MAX).is_err());
    assert!(limits.admits(MachineKind::ChildHosts, 1_000_000, 1).is_ok());
}

#[test]
fn a_host_beyond_its_limit_is_told_by_how_much_and_loses_nothing() {
    let limits = limits(&Host::with(|c| c.hosts = Some(10)), 0);
    assert!(limits.admits(MachineKind::Hosts, 12, 0).is_ok());
    assert_eq!(limits.excess(MachineKind::Hosts, 12), 2);
    assert_eq!(limits.excess(MachineKind::Hosts, 10), 0);
}

#[test]
fn without_a_licence_there_is_no_limit() {
    assert_eq!(limits(&Host::new(), 0), Limits::default());
}

#[test]
fn the_greatest_licence_in_force_sets_the_limit() {
    let mut host = Host::with(|c| {
        c.hosts = Some(100);
        c.exp = Some(start() + days(10));
        c.grace_days = 0;
    });
    host.install(&claims(|c| c.hosts = Some(50)));
    assert_eq!(limits(&host, 0).hosts, Some(100));
    assert_eq!(limits(&host, 10).hosts, Some(50), "a lapsed licence counts no longer");
    assert_eq!(limits(&host, 5000).hosts, Some(100), "when all have lapsed they still count");
}

#[test]
fn a_revoked_licence_sets_no_limit() {
    let mut host = Host::with(|c| {
        c.id = "L1".to_owned();
        c.hosts = Some(100);
    });
    host.install(&claims(|c| c.hosts = Some(50)));
    host.revoke(&["L1".to_owned()], 1);
    assert_eq!(limits(&host, 0).hosts, Some(50));
}
