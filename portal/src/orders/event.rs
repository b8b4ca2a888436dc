//! What can happen to an order. Events are facts: they are recorded once, and never changed.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use trust::KeyId;

use crate::catalogue::{Plan, Tier};

/// Names one payment for ever: the id of a Stripe invoice, the number of an invoice of our own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct PaymentRef(pub String);

/// What a payment pays for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Period {
    /// First moment.
    pub from: DateTime<Utc>,
    /// End; that moment is no longer paid for.
    pub until: DateTime<Utc>,
}

/// How a chargeback stands. Later ones end earlier ones, in whichever order they arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dispute {
    /// The bank took the money back for now.
    Open,
    /// We keep the money.
    Won,
    /// The customer has the money back.
    Lost,
}

/// One event of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Names this event for ever: who delivers it twice changes nothing.
    pub id: String,
    /// When it happened, by the clock of whoever says so. Events may arrive in another order.
    pub at: DateTime<Utc>,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What happened. Money is in the smallest unit of the plan's currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    /// A customer chose a plan.
    Ordered {
        /// The plan as it was offered.
        plan: Plan,
        /// For how many machines.
        machines: u64,
    },
    /// A trial began.
    TrialStarted {
        /// Its end.
        until: DateTime<Utc>,
    },
    /// The trial ended before its time.
    TrialEnded,
    /// A checkout was paid. Its period is one interval of the plan from then on, unless an invoice says otherwise.
    Paid {
        /// The payment.
        payment: PaymentRef,
        /// How much.
        amount: i64,
    },
    /// An invoice was paid.
    InvoicePaid {
        /// The payment.
        payment: PaymentRef,
        /// How much.
        amount: i64,
        /// What for.
        period: Period,
    },
    /// A new period began. It grants nothing until it is paid.
    Renewed {
        /// The period.
        period: Period,
    },
    /// A payment was tried and did not work.
    PaymentFailed {
        /// The payment.
        payment: PaymentRef,
    },
    /// A higher tier, at once.
    Upgraded {
        /// The tier.
        tier: Tier,
        /// The payment it hangs on; absent when the next invoice includes it.
        payment: Option<PaymentRef>,
    },
    /// A lower tier.
    Downgraded {
        /// The tier.
        tier: Tier,
        /// When it begins: the end of what is paid.
        from: DateTime<Utc>,
    },
    /// More or fewer machines.
    MachinesChanged {
        /// How many from then on.
        machines: u64,
        /// When it begins.
        from: DateTime<Utc>,
    },
    /// Money went back.
    Refunded {
        /// The payment.
        payment: PaymentRef,
        /// How much of it in all, earlier refunds included.
        total: i64,
    },
    /// The customer's bank asked for the money back, or decided about that.
    Chargeback {
        /// The payment.
        payment: PaymentRef,
        /// The bank's case.
        case: String,
        /// How it stands.
        dispute: Dispute,
    },
    /// The licence is for another host instance from now on, or for any.
    Transferred {
        /// Id of the instance's key.
        #[schema(value_type = Option<String>)]
        instance: Option<KeyId>,
    },
    /// There will be no further period.
    Cancelled,
    /// The vendor took the licence back.
    Revoked {
        /// Why, for people.
        reason: String,
    },
}

impl What {
    /// The payment that this says was made.
    pub fn paid(&self) -> Option<&PaymentRef> {
        match self {
            Self::Paid { payment, .. } | Self::InvoicePaid { payment, .. } => Some(payment),
            _ => None,
        }
    }

    /// Its name.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Ordered { .. } => "ordered",
            Self::TrialStarted { .. } => "trial_started",
            Self::TrialEnded => "trial_ended",
            Self::Paid { .. } => "paid",
            Self::InvoicePaid { .. } => "invoice_paid",
            Self::Renewed { .. } => "renewed",
            Self::PaymentFailed { .. } => "payment_failed",
            Self::Upgraded { .. } => "upgraded",
            Self::Downgraded { .. } => "downgraded",
            Self::MachinesChanged { .. } => "machines_changed",
            Self::Refunded { .. } => "refunded",
            Self::Chargeback { .. } => "chargeback",
            Self::Transferred { .. } => "transferred",
            Self::Cancelled => "cancelled",
            Self::Revoked { .. } => "revoked",
        }
    }
}
