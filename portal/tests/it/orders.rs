//! Orders as a state machine: whatever comes twice, late, in another order or never.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};
use portal::{
    catalogue::{Interval, Plan, Tier},
    orders::{Applied, Dispute, Event, History, PaymentRef, Period, Standing, Verdict, What},
};
use proptest::prelude::*;

fn day(n: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap() + Duration::days(n)
}

fn plan(tier: Tier) -> Plan {
    Plan {
        id: "test".into(),
        tier,
        interval: Interval::Month,
        currency: "eur".into(),
        unit_amount: 500,
        fallback: true,
    }
}

fn event(id: &str, at: i64, what: What) -> Event {
    Event { id: id.into(), at: day(at), what }
}

fn payment(name: &str) -> PaymentRef {
    PaymentRef(name.into())
}

fn ordered() -> Event {
    event("o", 0, What::Ordered { plan: plan(Tier::Professional), machines: 10 })
}

fn paid(name: &str, from: i64, until: i64) -> Event {
    let period = Period { from: day(from), until: day(until) };
    event(&format!("paid-{name}"), from, What::InvoicePaid { payment: payment(name), amount: 5000, period })
}

fn refunded(name: &str, at: i64, total: i64) -> Event {
    event(&format!("refund-{name}-{total}"), at, What::Refunded { payment: payment(name), total })
}

fn dispute(name: &str, at: i64, dispute: Dispute) -> Event {
    let what = What::Chargeback { payment: payment(name), case: "case".into(), dispute };
    event(&format!("dispute-{name}-{dispute:?}"), at, what)
}

fn verdict(events: &[Event], now: i64) -> Verdict {
    History::replay(events).verdict(day(now))
}

#[track_caller]
fn granted(events: &[Event], now: i64) -> portal::orders::Grant {
    match verdict(events, now) {
        Verdict::Grant(grant) => grant,
        other => panic!("not granted: {other:?}"),
    }
}

#[test]
fn an_unpaid_order_grants_nothing() {
    assert_eq!(verdict(&[ordered()], 1), Verdict::Nothing);
    assert_eq!(History::replay(&[ordered()]).standing(day(1)), Standing::Pending);
    assert_eq!(verdict(&[paid("a", 0, 30)], 1), Verdict::Nothing, "paid, but nobody knows for what yet");
}

#[test]
fn two_events_about_one_payment_are_one_payment() {
    let checkout = event("c", 0, What::Paid { payment: payment("a"), amount: 5000 });
    let grant = granted(&[ordered(), checkout, paid("a", 0, 30)], 1);
    assert_eq!((grant.from, grant.until), (day(0), day(30)));
}

#[test]
fn a_checkout_alone_pays_for_one_interval() {
    let checkout = event("c", 0, What::Paid { payment: payment("a"), amount: 5000 });
    assert_eq!(granted(&[ordered(), checkout], 1).until, Interval::Month.after(day(0)));
}

#[test]
fn a_renewal_grants_nothing_until_it_is_paid() {
    let period = Period { from: day(30), until: day(60) };
    let renewed = event("r", 30, What::Renewed { period });
    let mut events = vec![ordered(), paid("a", 0, 30), renewed];
    assert_eq!(granted(&events, 31).until, day(30));
    assert_eq!(History::replay(&events).unpaid(), Some(period));
    assert_eq!(History::replay(&events).standing(day(31)), Standing::PastDue);
    events.push(paid("b", 30, 60));
    assert_eq!(granted(&events, 31).until, day(60));
    assert_eq!(History::replay(&events).unpaid(), None);
}

#[test]
fn a_whole_refund_ends_the_licence_and_half_a_refund_does_not() {
    let mut events = vec![ordered(), paid("a", 0, 30), refunded("a", 9, 2500)];
    assert_eq!(granted(&events, 10).until, day(30));
    events.push(refunded("a", 10, 5000));
    let Verdict::Ended { grant } = verdict(&events, 11) else { panic!("not ended") };
    assert_eq!((grant.until, grant.grace, grant.fallback), (day(10), false, false));
    assert_eq!(History::replay(&events).standing(day(11)), Standing::Refunded);
}

#[test]
fn refunding_the_second_month_leaves_the_first_without_grace() {
    let events = [ordered(), paid("a", 0, 30), paid("b", 30, 60), refunded("b", 31, 5000)];
    let grant = granted(&events, 32);
    assert_eq!((grant.until, grant.grace), (day(30), false));
}

#[test]
fn a_chargeback_ends_the_licence_until_it_is_won() {
    let mut events = vec![ordered(), paid("a", 0, 30), dispute("a", 5, Dispute::Open)];
    assert!(matches!(verdict(&events, 6), Verdict::Ended { .. }));
    assert_eq!(History::replay(&events).standing(day(6)), Standing::Disputed);
    // The decision may arrive before the case.
    events.insert(0, dispute("a", 9, Dispute::Won));
    assert_eq!(granted(&events, 10).until, day(30));
    events.push(dispute("a", 9, Dispute::Lost));
    assert!(matches!(verdict(&events, 10), Verdict::Ended { .. }));
}

#[test]
fn an_upgrade_holds_while_its_payment_does() {
    let up = What::Upgraded { tier: Tier::Enterprise, payment: Some(payment("up")) };
    let mut events = vec![ordered(), paid("a", 0, 30), event("u", 5, up)];
    assert_eq!(granted(&events, 6).tier, Tier::Professional, "not paid yet");
    events.push(paid("up", 5, 30));
    assert_eq!(granted(&events, 6).tier, Tier::Enterprise);
    events.push(refunded("up", 7, 5000));
    assert_eq!(granted(&events, 8).tier, Tier::Professional);
}

#[test]
fn a_downgrade_and_fewer_machines_begin_when_they_say() {
    let down = event("d", 5, What::Downgraded { tier: Tier::Free, from: day(30) });
    let fewer = event("m", 6, What::MachinesChanged { machines: 3, from: day(30) });
    let events = [ordered(), paid("a", 0, 60), down, fewer];
    let (before, after) = (granted(&events, 29), granted(&events, 30));
    assert_eq!((before.tier, before.machines), (Tier::Professional, 10));
    assert_eq!((after.tier, after.machines), (Tier::Free, 3));
}

#[test]
fn what_is_changed_later_takes_back_what_would_begin_later() {
    let down = event("d", 5, What::Downgraded { tier: Tier::Professional, from: day(30) });
    let up = event("u", 6, What::Upgraded { tier: Tier::Enterprise, payment: None });
    let events = [ordered(), paid("a", 0, 60), down.clone(), up.clone()];
    assert_eq!(granted(&events, 31).tier, Tier::Enterprise);
    let other_way_round = [ordered(), paid("a", 0, 60), up, Event { at: day(7), ..down }];
    assert_eq!(granted(&other_way_round, 29).tier, Tier::Enterprise);
    assert_eq!(granted(&other_way_round, 31).tier, Tier::Professional);
}

#[test]
fn a_trial_ends_and_a_payment_continues_it() {
    let trial = event("t", 0, What::TrialStarted { until: day(14) });
    let mut events = vec![ordered(), trial];
    let grant = granted(&events, 1);
    assert!(grant.trial && !grant.fallback);
    assert_eq!(History::replay(&events).standing(day(1)), Standing::Trial);
    assert_eq!(History::replay(&events).standing(day(14)), Standing::Expired);
    events.push(paid("a", 10, 40));
    let grant = granted(&events, 11);
    assert_eq!((grant.from, grant.until, grant.trial), (day(0), day(40), false));
}

#[test]
fn a_failed_payment_changes_nothing_but_the_standing() {
    let failed = event("f", 30, What::PaymentFailed { payment: payment("b") });
    let events = [ordered(), paid("a", 0, 30), failed];
    assert_eq!(granted(&events, 31).until, day(30));
    assert_eq!(History::replay(&events).standing(day(29)), Standing::PastDue);
}

#[test]
fn an_event_of_a_known_id_changes_nothing() {
    let mut history = History::replay(&[ordered()]);
    let other = event("o", 0, What::Revoked { reason: "no".into() });
    assert_eq!(history.apply(&other), Applied::Known);
    assert_eq!(history, History::replay(&[ordered()]));
}

const PAYMENTS: [&str; 3] = ["a", "b", "c"];

fn anything() -> impl Strategy<Value = What> {
    let name = prop::sample::select(&PAYMENTS[..]).prop_map(payment);
    let at = (0..120i64).prop_map(day);
    let tier = prop::sample::select(&Tier::ALL[..]);
    let amount = prop::sample::select(&[0i64, 2500, 5000][..]);
    let period = (0..90i64, 1..40i64).prop_map(|(f, n)| Period { from: day(f), until: day(f + n) });
    let stand = prop::sample::select(&[Dispute::Open, Dispute::Won, Dispute::Lost][..]);
    prop_oneof![
        3 => (tier.clone(), 1..100u64)
            .prop_map(|(tier, machines)| What::Ordered { plan: plan(tier), machines }),
        1 => at.clone().prop_map(|until| What::TrialStarted { until }),
        1 => Just(What::TrialEnded),
        2 => (name.clone(), amount.clone()).prop_map(|(payment, amount)| What::Paid { payment, amount }),
        4 => (name.clone(), amount.clone(), period.clone())
            .prop_map(|(payment, amount, period)| What::InvoicePaid { payment, amount, period }),
        1 => period.prop_map(|period| What::Renewed { period }),
        1 => name.clone().prop_map(|payment| What::PaymentFailed { payment }),
        2 => (tier.clone(), prop::option::of(name.clone()))
            .prop_map(|(tier, payment)| What::Upgraded { tier, payment }),
        1 => (tier, at.clone()).prop_map(|(tier, from)| What::Downgraded { tier, from }),
        2 => (1..100u64, at).prop_map(|(machines, from)| What::MachinesChanged { machines, from }),
        2 => (name.clone(), amount).prop_map(|(payment, total)| What::Refunded { payment, total }),
        2 => (name, prop::sample::select(&["x", "y"][..]), stand)
            .prop_map(|(payment, case, dispute)| What::Chargeback { payment, case: case.into(), dispute }),
        1 => Just(What::Transferred { instance: None }),
        1 => Just(What::Cancelled),
        1 => Just(What::Revoked { reason: "fraud".into() }),
    ]
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec((0..100i64, anything()), 0..16).prop_map(|all| {
        let numbered = all.into_iter().enumerate();
        numbered.map(|(n, (at, what))| event(&format!("e{n}"), at, what)).collect()
    })
}

/// The events in another order, with some of them again.
fn delivered() -> impl Strategy<Value = (Vec<Event>, Vec<Event>)> {
    events().prop_flat_map(|events| {
        let again = prop::sample::subsequence(events.clone(), 0..=events.len());
        again.prop_flat_map(move |again| {
            let all: Vec<Event> = events.iter().cloned().chain(again).collect();
            (Just(events.clone()), Just(all).prop_shuffle())
        })
    })
}

/// The least and the greatest moment that anybody paid for.
fn paid_for(events: &[Event]) -> BTreeMap<PaymentRef, Vec<Period>> {
    let mut paid: BTreeMap<PaymentRef, Vec<Period>> = BTreeMap::new();
    for event in events {
        match &event.what {
            What::InvoicePaid { payment, period, .. } => {
                paid.entry(payment.clone()).or_default().push(*period);
            }
            What::Paid { payment, .. } => {
                let until = Interval::Month.after(event.at);
                paid.entry(payment.clone()).or_default().push(Period { from: event.at, until });
            }
            _ => {}
        }
    }
    paid
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_same_events_make_the_same_order_however_they_come((events, delivered) in delivered(), now in 0..150i64) {
        let (once, again) = (History::replay(&events), History::replay(&delivered));
        prop_assert_eq!(&once, &again);
        prop_assert_eq!(once.verdict(day(now)), again.verdict(day(now)));
        prop_assert_eq!(once.standing(day(now)), again.standing(day(now)));
    }

    #[test]
    fn what_is_stored_and_replayed_is_what_was_applied(events in events()) {
        let stored: Vec<String> = events.iter().map(|e| serde_json::to_string(e).unwrap()).collect();
        let read: Vec<Event> = stored.iter().map(|s| serde_json::from_str(s).unwrap()).collect();
        prop_assert_eq!(History::replay(&events), History::replay(&read));
    }

    #[test]
    fn nobody_gets_longer_than_somebody_paid_for(events in events(), now in 0..150i64) {
        if let Verdict::Grant(grant) = History::replay(&events).verdict(day(now)) {
            let paid = paid_for(&events);
            if !grant.trial {
                prop_assert!(paid.values().flatten().any(|p| p.until == grant.until));
            }
        }
    }

    #[test]
    fn hearing_of_a_payment_again_under_another_event_adds_no_time(events in events(), now in 0..150i64) {
        let mut twice = events.clone();
        for copy in events.iter().filter(|e| matches!(e.what, What::Paid { .. } | What::InvoicePaid { .. })) {
            twice.push(Event { id: format!("{}-again", copy.id), ..copy.clone() });
        }
        prop_assert_eq!(History::replay(&events).verdict(day(now)), History::replay(&twice).verdict(day(now)));
    }

    #[test]
    fn payments_that_never_arrive_never_add_time(events in events(), keep in any::<u16>(), now in 0..150i64) {
        let kept: Vec<Event> = events.iter().enumerate()
            .filter(|(n, e)| keep & (1 << n) != 0 || !matches!(e.what, What::Paid { .. } | What::InvoicePaid { .. }))
            .map(|(_, e)| e.clone()).collect();
        let until = |events: &[Event]| match History::replay(events).verdict(day(now)) {
            Verdict::Grant(grant) if !grant.trial => Some(grant.until),
            _ => None,
        };
        // Missing an invoice may leave an assumed period of the checkout, never one that nobody paid for.
        if let Some(until) = until(&kept) {
            prop_assert!(paid_for(&events).values().flatten().any(|p| p.until == until));
        }
    }

    #[test]
    fn when_all_money_went_back_nothing_is_granted(events in events(), now in 0..150i64) {
        let mut all: Vec<Event> = events.into_iter().filter(|e| !matches!(e.what, What::TrialStarted { .. })).collect();
        for name in PAYMENTS {
            all.insert(0, refunded(name, 100, 1_000_000));
        }
        let granted = matches!(History::replay(&all).verdict(day(now)), Verdict::Grant(_));
        prop_assert!(!granted);
    }

    #[test]
    fn a_revoked_order_stays_revoked(events in events(), now in 0..150i64) {
        let mut all = events;
        all.insert(0, event("gone", 50, What::Revoked { reason: "fraud".into() }));
        let revoked = matches!(History::replay(&all).verdict(day(now)), Verdict::Revoked { .. });
        prop_assert!(revoked);
    }

    #[test]
    fn every_grant_is_a_licence_that_can_be_written(events in events(), now in 0..150i64) {
        let (Verdict::Grant(grant) | Verdict::Ended { grant }) = History::replay(&events).verdict(day(now)) else {
            return Ok(());
        };
        prop_assert!(grant.from < grant.until);
        prop_assert!(!grant.trial || !grant.fallback);
    }

    #[test]
    fn licences_follow_every_delivery_and_end_where_they_should((events, delivered) in delivered(), now in 0..150i64) {
        // What the portal does: after each delivery, a new edition where the licence should say something else.
        let mut history = History::default();
        let mut editions: Vec<Verdict> = Vec::new();
        let mut told = BTreeSet::new();
        for event in &delivered {
            let applied = history.apply(event);
            prop_assert_eq!(applied == Applied::New, told.insert(event.id.clone()));
            let verdict = history.verdict(day(now));
            if verdict != Verdict::Nothing && editions.last() != Some(&verdict) {
                prop_assert_eq!(applied, Applied::New, "an edition for something that was known");
                editions.push(verdict);
            }
        }
        let end = History::replay(&events).verdict(day(now));
        if end != Verdict::Nothing {
            prop_assert_eq!(editions.last(), Some(&end));
        }
    }
}
