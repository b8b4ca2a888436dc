//! What was earned: payments less what went back, by month, currency and tier.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Utc};
use serde::Serialize;

use super::{Dispute, History, OrderError, Orders, store};
use crate::{catalogue::Tier, ctx::Ctx};

/// Orders read at a time.
const BATCH: u64 = 100;

/// A month's money of a tier in a currency, in the currency's smallest unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Revenue {
    /// `2026-11`, in UTC.
    pub month: String,
    /// Three letters, lower case.
    pub currency: String,
    /// What the customer had when the payment was made.
    pub tier: Tier,
    /// How many payments.
    pub payments: u64,
    /// What was paid.
    pub paid: i64,
    /// What went back in this month, whenever it was paid.
    pub returned: i64,
}

impl Revenue {
    /// What is left.
    pub fn net(&self) -> i64 {
        self.paid.saturating_sub(self.returned)
    }
}

/// Money by month, currency and tier.
#[derive(Default)]
pub(super) struct Ledger(BTreeMap<(String, String, Tier), (u64, i64, i64)>);

impl Ledger {
    /// Take in all that is known of one order.
    pub(super) fn add(&mut self, history: &History) {
        let Some((plan, machines)) = history.ordered() else { return };
        for payment in history.payments.values() {
            let Some(paid_at) = payment.paid_at else { continue };
            let tier = history.tier_at(plan.tier, machines, paid_at);
            let of = |at: DateTime<Utc>| {
                (format!("{:04}-{:02}", at.year(), at.month()), plan.currency.clone(), tier)
            };
            let (count, paid, _) = self.0.entry(of(paid_at)).or_default();
            *count += 1;
            *paid = paid.saturating_add(payment.amount);
            let refunded = payment.refunded.clamp(0, payment.amount.max(0));
            if let Some(at) = payment.refunded_at.filter(|_| refunded > 0) {
                let (.., returned) = self.0.entry(of(at)).or_default();
                *returned = returned.saturating_add(refunded);
            }
            // The bank takes back what a refund has not; a case that is won gives it back.
            let case =
                payment.disputes.values().filter(|(dispute, _)| *dispute != Dispute::Won).map(|(_, at)| *at);
            if let Some(at) = case.min() {
                let (.., returned) = self.0.entry(of(at)).or_default();
                *returned = returned.saturating_add(payment.amount.saturating_sub(refunded).max(0));
            }
        }
    }

    /// The last month first.
    pub(super) fn rows(self) -> Vec<Revenue> {
        let rows = self.0.into_iter().rev();
        rows.map(|((month, currency, tier), (payments, paid, returned))| Revenue {
            month,
            currency,
            tier,
            payments,
            paid,
            returned,
        })
        .collect()
    }
}

impl Orders {
    /// What was earned, the last month first.
    pub async fn revenue(&self, ctx: &Ctx) -> Result<Vec<Revenue>, OrderError> {
        ctx.require_staff()?;
        let (mut ledger, mut after) = (Ledger::default(), None);
        loop {
            let db = self.core.db.read();
            let rows = store::all(db, after, BATCH).await?;
            let Some(last) = rows.last() else { return Ok(ledger.rows()) };
            after = Some(last.id);
            let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
            for history in self.histories(db, &ids).await?.values() {
                ledger.add(history);
            }
        }
    }
}
