//! `[catalogue]`: what is for sale, and on which terms.

use serde::{Deserialize, Serialize};

use super::ConfigError;
use crate::catalogue::{Interval, Plan, Tier};

/// What is for sale, and on which terms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CatalogueConfig {
    /// Plans, `[[catalogue.plans]]`. The Free tier needs none.
    pub plans: Vec<Plan>,
    /// Length of a trial, in days; 0 for no trials.
    pub trial_days: u16,
    /// Machines of a trial.
    pub trial_machines: u64,
    /// Most machines in one order.
    pub max_machines: u64,
}

impl Default for CatalogueConfig {
    fn default() -> Self {
        let plan = |id: &str, tier, interval, unit_amount, fallback| Plan {
            id: id.into(),
            tier,
            interval,
            currency: "eur".into(),
            unit_amount,
            fallback,
        };
        Self {
            plans: vec![
                plan("professional-month", Tier::Professional, Interval::Month, 300, false),
                plan("professional-year", Tier::Professional, Interval::Year, 3000, true),
                plan("enterprise-month", Tier::Enterprise, Interval::Month, 700, false),
                plan("enterprise-year", Tier::Enterprise, Interval::Year, 7000, true),
            ],
            trial_days: 30,
            trial_machines: 50,
            max_machines: 100_000,
        }
    }
}

impl CatalogueConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |why: String| Err(ConfigError::value("catalogue.plans", why));
        for (n, plan) in self.plans.iter().enumerate() {
            let id = &plan.id;
            let word = |text: &str| text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
            if id.is_empty() || id.len() > 60 || !word(id) {
                return wrong(format!("`{id}`: an id has 1 to 60 of a-z, 0-9 and -"));
            }
            if self.plans.iter().take(n).any(|other| other.id == *id) {
                return wrong(format!("`{id}` is there twice"));
            }
            if plan.tier == Tier::Free {
                return wrong(format!("`{id}`: the Free tier is not sold"));
            }
            if plan.currency.len() != 3 || !plan.currency.bytes().all(|b| b.is_ascii_lowercase()) {
                return wrong(format!("`{id}`: a currency has three lower-case letters"));
            }
            if plan.unit_amount < 1 || plan.price(self.max_machines).is_none_or(|p| p > 99_999_999_999) {
                return wrong(format!(
                    "`{id}`: unit_amount is not a price for 1 to {} machines",
                    self.max_machines
                ));
            }
        }
        ConfigError::range("catalogue.trial_days", self.trial_days.into(), 0..=365)?;
        ConfigError::range("catalogue.trial_machines", self.trial_machines, 1..=1_000_000)?;
        ConfigError::range("catalogue.max_machines", self.max_machines, 1..=10_000_000)
    }
}
