//! Tiers, and plans that sell them.

use chrono::{DateTime, Months, Utc};
use serde::{Deserialize, Serialize};

/// What a customer may have. A tier holds every engine of its own and of lower tiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// The host, and engines that need no licence.
    Free,
    /// Engines of tier `professional`.
    Professional,
    /// Every engine.
    Enterprise,
}

impl Tier {
    /// Every tier, lowest first.
    pub const ALL: [Self; 3] = [Self::Free, Self::Professional, Self::Enterprise];

    /// Its name in manifests, licences and the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Professional => "professional",
            Self::Enterprise => "enterprise",
        }
    }

    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Free => "Free",
            Self::Professional => "Professional",
            Self::Enterprise => "Enterprise",
        }
    }

    /// The tier of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.name() == name)
    }
}

/// How long a payment lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// A calendar month.
    Month,
    /// A calendar year.
    Year,
}

impl Interval {
    /// Its name, the one that Stripe uses too.
    pub fn name(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// One interval after `from`; the last day of a month where there is no such day.
    pub fn after(self, from: DateTime<Utc>) -> DateTime<Utc> {
        let months = match self {
            Self::Month => 1,
            Self::Year => 12,
        };
        from.checked_add_months(Months::new(months)).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

/// A tier at a price. An order keeps the plan as it was offered, so that a new price never changes an old order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Its name in addresses: `professional-year`.
    pub id: String,
    /// What it sells.
    pub tier: Tier,
    /// For how long.
    pub interval: Interval,
    /// Three letters, lower case: `eur`.
    pub currency: String,
    /// Price of one machine for one interval, in the currency's smallest unit.
    pub unit_amount: i64,
    /// Whether builds made while it was paid keep working afterwards.
    #[serde(default)]
    pub fallback: bool,
}

impl Plan {
    /// Price for `machines`; `None` beyond what can be counted.
    pub fn price(&self, machines: u64) -> Option<i64> {
        i64::try_from(machines).ok().and_then(|n| n.checked_mul(self.unit_amount))
    }
}
