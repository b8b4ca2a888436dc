//! The state of an order: everything that is known of it, put together from events in any order.
//!
//! There are no transitions to get wrong. Each field is a join: a set, a greatest or a least value. Applying an event
//! therefore commutes with every other one and does nothing the second time, so that a history is the same whether events
//! came twice, late, or in another order. What follows from a history is in [`super::verdict`].

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use trust::KeyId;

use super::event::{Dispute, Event, PaymentRef, Period, What};
use crate::catalogue::{Plan, Tier};

/// Orders what happened; equal times are told apart by the event's id, alike for every order of arrival.
pub(super) type Stamp = (DateTime<Utc>, String);

/// What applying an event did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It is part of the history now.
    New,
    /// It was already.
    Known,
}

/// All that is known of one payment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Payment {
    /// When it was first said to be paid.
    pub(super) paid_at: Option<DateTime<Utc>>,
    /// How much.
    pub(super) amount: i64,
    /// What an invoice says it is for.
    pub(super) period: Option<Period>,
    /// How much went back.
    pub(super) refunded: i64,
    /// When money last went back.
    pub(super) refunded_at: Option<DateTime<Utc>>,
    /// Chargebacks by case.
    pub(super) disputes: BTreeMap<String, (Dispute, DateTime<Utc>)>,
    /// When it last failed.
    pub(super) failed_at: Option<DateTime<Utc>>,
}

/// A change of tier or number of machines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Tier(Tier, Option<PaymentRef>),
    Machines(u64),
}

/// A trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trial {
    pub(super) from: Stamp,
    pub(super) until: DateTime<Utc>,
}

/// The history of one order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    seen: BTreeSet<String>,
    pub(super) ordered: Option<(Stamp, Plan, u64)>,
    pub(super) payments: BTreeMap<PaymentRef, Payment>,
    /// By when they were made; each with the moment it begins.
    pub(super) changes: BTreeMap<Stamp, (DateTime<Utc>, Change)>,
    pub(super) trial: Option<Trial>,
    pub(super) trial_ended: Option<DateTime<Utc>>,
    pub(super) renewed: Option<Period>,
    pub(super) instance: Option<(Stamp, Option<KeyId>)>,
    pub(super) cancelled: Option<DateTime<Utc>>,
    pub(super) revoked: Option<(Stamp, String)>,
}

impl History {
    /// The history that these events make.
    pub fn replay<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut history = Self::default();
        for event in events {
            history.apply(event);
        }
        history
    }

    /// Take an event in.
    pub fn apply(&mut self, event: &Event) -> Applied {
        if !self.seen.insert(event.id.clone()) {
            return Applied::Known;
        }
        let at = event.at;
        let stamp = || (at, event.id.clone());
        match &event.what {
            What::Ordered { plan, machines } => {
                if self.ordered.as_ref().is_none_or(|(first, ..)| stamp() < *first) {
                    self.ordered = Some((stamp(), plan.clone(), *machines));
                }
            }
            What::TrialStarted { until } => {
                // One trial only: the first.
                if self.trial.as_ref().is_none_or(|first| stamp() < first.from) {
                    self.trial = Some(Trial { from: stamp(), until: *until });
                }
            }
            What::TrialEnded => least(&mut self.trial_ended, at),
            What::Paid { .. }
            | What::InvoicePaid { .. }
            | What::PaymentFailed { .. }
            | What::Refunded { .. }
            | What::Chargeback { .. } => self.apply_money(at, &event.what),
            What::Renewed { period } => greatest(&mut self.renewed, *period),
            What::Upgraded { tier, payment } => {
                self.changes.insert(stamp(), (at, Change::Tier(*tier, payment.clone())));
            }
            What::Downgraded { tier, from } => {
                self.changes.insert(stamp(), (*from, Change::Tier(*tier, None)));
            }
            What::MachinesChanged { machines, from } => {
                self.changes.insert(stamp(), (*from, Change::Machines(*machines)));
            }
            What::Transferred { instance } => {
                if self.instance.as_ref().is_none_or(|(last, _)| *last < stamp()) {
                    self.instance = Some((stamp(), instance.clone()));
                }
            }
            What::Cancelled => least(&mut self.cancelled, at),
            What::Revoked { reason } => {
                if self.revoked.as_ref().is_none_or(|(first, _)| stamp() < *first) {
                    self.revoked = Some((stamp(), reason.clone()));
                }
            }
        }
        Applied::New
    }

    fn payment(&mut self, of: &PaymentRef) -> &mut Payment {
        self.payments.entry(of.clone()).or_default()
    }

    fn apply_money(&mut self, at: DateTime<Utc>, what: &What) {
        match what {
            What::Paid { payment, amount } => self.payment(payment).settle(at, *amount, None),
            What::InvoicePaid { payment, amount, period } => {
                self.payment(payment).settle(at, *amount, Some(*period));
            }
            What::PaymentFailed { payment } => greatest(&mut self.payment(payment).failed_at, at),
            What::Refunded { payment, total } => {
                let payment = self.payment(payment);
                payment.refunded = payment.refunded.max(*total);
                greatest(&mut payment.refunded_at, at);
            }
            What::Chargeback { payment, case, dispute } => {
                let news = (*dispute, at);
                let known = self.payment(payment).disputes.entry(case.clone()).or_insert(news);
                *known = news.max(*known);
            }
            _ => {}
        }
    }

    /// Ids of the events in it.
    pub fn events(&self) -> impl Iterator<Item = &str> {
        self.seen.iter().map(String::as_str)
    }

    /// The plan as it was ordered, and for how many machines.
    pub fn ordered(&self) -> Option<(&Plan, u64)> {
        self.ordered.as_ref().map(|(_, plan, machines)| (plan, *machines))
    }
}

impl Payment {
    /// Several events may tell of the same payment: it counts once, and what an invoice says of the period goes before
    /// what is assumed.
    fn settle(&mut self, at: DateTime<Utc>, amount: i64, period: Option<Period>) {
        least(&mut self.paid_at, at);
        self.amount = self.amount.max(amount);
        if let Some(period) = period {
            greatest(&mut self.period, period);
        }
    }

    /// Whether the money is here and stays here.
    pub(super) fn is_good(&self) -> bool {
        let refunded = self.refunded > 0 && self.refunded >= self.amount;
        self.paid_at.is_some() && !refunded && self.disputes.values().all(|(d, _)| *d == Dispute::Won)
    }

    /// When the money went, where it came and went.
    pub(super) fn lost_at(&self) -> Option<DateTime<Utc>> {
        if self.paid_at.is_none() || self.is_good() {
            return None;
        }
        let disputed = self.disputes.values().filter(|(d, _)| *d != Dispute::Won).map(|(_, at)| *at);
        disputed.chain(self.refunded_at).max()
    }

    /// Whether a bank has taken it back, or tries to.
    pub(super) fn is_disputed(&self) -> bool {
        self.disputes.values().any(|(d, _)| *d != Dispute::Won)
    }
}

fn least<T: Ord + Copy>(known: &mut Option<T>, news: T) {
    *known = Some(known.map_or(news, |known| known.min(news)));
}

fn greatest<T: Ord + Copy>(known: &mut Option<T>, news: T) {
    *known = Some(known.map_or(news, |known| known.max(news)));
}
