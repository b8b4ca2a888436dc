//! What follows from a history: what the customer has, and what the licence shall say. Pure, at a given moment.

use chrono::{DateTime, Utc};
use serde::Serialize;
use trust::KeyId;

use super::{
    event::Period,
    history::{Change, History, Payment},
};
use crate::catalogue::{Plan, Tier};

/// What a licence shall say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// The tier in force.
    pub tier: Tier,
    /// For how many machines.
    pub machines: u64,
    /// First moment.
    pub from: DateTime<Utc>,
    /// End of what is paid, or of the trial.
    pub until: DateTime<Utc>,
    /// A trial.
    pub trial: bool,
    /// Whether everything works for some days after the end. Not where money for later days went back.
    pub grace: bool,
    /// Whether builds made before the end keep working.
    pub fallback: bool,
    /// The host instance that the licence is for.
    pub instance: Option<KeyId>,
}

/// What the licence of an order shall be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// There is nothing to license: not paid yet.
    Nothing,
    /// There is.
    Grant(Grant),
    /// The money went back: what was granted ends, and engines become read-only.
    Ended {
        /// What was granted, with its new end.
        #[serde(flatten)]
        grant: Grant,
    },
    /// The licence is void.
    Revoked {
        /// Since then.
        at: DateTime<Utc>,
        /// Why.
        reason: String,
    },
}

/// How an order stands, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Not paid yet.
    Pending,
    /// A trial runs.
    Trial,
    /// Paid.
    Active,
    /// Paid, and will not be renewed.
    Ending,
    /// The term is over or a payment failed, and nothing has come since.
    PastDue,
    /// The term or trial is over, and was cancelled or never paid.
    Expired,
    /// The money went back.
    Refunded,
    /// A bank took the money back.
    Disputed,
    /// Revoked by the vendor.
    Revoked,
}

impl Standing {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Trial => "trial",
            Self::Active => "active",
            Self::Ending => "ending",
            Self::PastDue => "past_due",
            Self::Expired => "expired",
            Self::Refunded => "refunded",
            Self::Disputed => "disputed",
            Self::Revoked => "revoked",
        }
    }
}

impl History {
    /// What the licence shall be as of `now`. Only changes that begin later depend on it.
    pub fn verdict(&self, now: DateTime<Utc>) -> Verdict {
        if let Some(((at, _), reason)) = &self.revoked {
            return Verdict::Revoked { at: *at, reason: reason.clone() };
        }
        let Some((_, plan, machines)) = &self.ordered else { return Verdict::Nothing };
        let (tier, machines) = self.in_force(plan.tier, *machines, now);
        let grant = |period: Period, trial, grace| Grant {
            tier,
            machines,
            from: period.from,
            until: period.until,
            trial,
            grace,
            fallback: plan.fallback && !trial && grace,
            instance: self.instance.as_ref().and_then(|(_, instance)| instance.clone()),
        };
        let lost = self.lost(plan);
        if let Some(paid) = self.paid(plan) {
            let from = self.trial.as_ref().map_or(paid.from, |t| t.from.0.min(paid.from));
            let grace = lost.is_none_or(|(period, _)| period.until <= paid.until);
            return Verdict::Grant(grant(Period { from, until: paid.until }, false, grace));
        }
        if let Some(trial) = self.trial_period() {
            return Verdict::Grant(grant(trial, true, lost.is_none()));
        }
        match lost {
            // A licence that ends before it begins would not be one.
            Some((period, at)) => {
                let until = at.min(period.until).max(period.from + chrono::Duration::seconds(1));
                Verdict::Ended { grant: grant(Period { from: period.from, until }, false, false) }
            }
            None => Verdict::Nothing,
        }
    }

    /// How the order stands as of `now`.
    pub fn standing(&self, now: DateTime<Utc>) -> Standing {
        match self.verdict(now) {
            Verdict::Revoked { .. } => Standing::Revoked,
            Verdict::Ended { .. } if self.payments.values().any(Payment::is_disputed) => Standing::Disputed,
            Verdict::Ended { .. } => Standing::Refunded,
            Verdict::Nothing if self.has_failed() => Standing::PastDue,
            Verdict::Nothing => Standing::Pending,
            Verdict::Grant(grant) if grant.trial && now < grant.until => Standing::Trial,
            Verdict::Grant(grant) if grant.trial => Standing::Expired,
            Verdict::Grant(grant) if now >= grant.until => match self.cancelled {
                Some(_) => Standing::Expired,
                None => Standing::PastDue,
            },
            Verdict::Grant(_) if self.cancelled.is_some() => Standing::Ending,
            Verdict::Grant(_) if self.has_failed() => Standing::PastDue,
            Verdict::Grant(_) => Standing::Active,
        }
    }

    /// The tier in force at a moment, of an order of `tier` for `machines`.
    pub(super) fn tier_at(&self, tier: Tier, machines: u64, at: DateTime<Utc>) -> Tier {
        self.in_force(tier, machines, at).0
    }

    /// The tier and number of machines in force at `now`.
    fn in_force(&self, tier: Tier, machines: u64, now: DateTime<Utc>) -> (Tier, u64) {
        let good = |payment| self.payments.get(payment).is_some_and(Payment::is_good);
        let (mut tiers, mut counts) = (Timeline::default(), Timeline::default());
        for (from, change) in self.changes.values() {
            match change {
                Change::Tier(to, payment) if payment.as_ref().is_none_or(good) => tiers.change(*from, *to),
                Change::Tier(..) => {}
                Change::Machines(to) => counts.change(*from, *to),
            }
        }
        (tiers.at(now).unwrap_or(tier), counts.at(now).unwrap_or(machines))
    }

    /// From the first moment that is paid for to the last.
    fn paid(&self, plan: &Plan) -> Option<Period> {
        let good = self.payments.values().filter(|p| p.is_good()).filter_map(|p| p.pays_for(plan));
        good.reduce(|a, b| Period { from: a.from.min(b.from), until: a.until.max(b.until) })
    }

    /// The last period whose money went back, and when it did.
    fn lost(&self, plan: &Plan) -> Option<(Period, DateTime<Utc>)> {
        let lost = self.payments.values().filter_map(|p| Some((p.pays_for(plan)?, p.lost_at()?)));
        lost.max_by_key(|(period, at)| (period.until, *at))
    }

    fn trial_period(&self) -> Option<Period> {
        let trial = self.trial.as_ref()?;
        let until = self.trial_ended.map_or(trial.until, |ended| ended.min(trial.until));
        let from = trial.from.0;
        Some(Period { from, until: until.max(from + chrono::Duration::seconds(1)) })
    }

    /// Whether the latest news of money is that it did not come: a payment failed after all that came, or a period began
    /// that is not paid.
    fn has_failed(&self) -> bool {
        let failed = self.payments.values().filter(|p| p.paid_at.is_none()).filter_map(|p| p.failed_at).max();
        let paid = self.payments.values().filter_map(|p| p.paid_at).max();
        failed.is_some() && failed > paid
    }

    /// The period that began and is not paid.
    pub fn unpaid(&self) -> Option<Period> {
        let (plan, _) = self.ordered()?;
        let paid = self.paid(plan).map(|p| p.until);
        self.renewed.filter(|renewed| paid.is_none_or(|until| until < renewed.until))
    }
}

/// What holds from when on. A change that is made takes back those made before it that would begin later.
struct Timeline<T>(Vec<(DateTime<Utc>, T)>);

impl<T> Default for Timeline<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy> Timeline<T> {
    fn change(&mut self, from: DateTime<Utc>, to: T) {
        self.0.retain(|(begins, _)| *begins < from);
        self.0.push((from, to));
    }

    fn at(&self, now: DateTime<Utc>) -> Option<T> {
        self.0.iter().rev().find(|(from, _)| *from <= now).map(|(_, to)| *to)
    }
}

impl Payment {
    /// What it is for: what an invoice says, else one interval of the plan.
    fn pays_for(&self, plan: &Plan) -> Option<Period> {
        let assumed = |from| Period { from, until: plan.interval.after(from) };
        self.period.or_else(|| self.paid_at.map(assumed))
    }
}
