//! Changes of an order by its customer: more at once and paid for the rest of the term, less from the next term on.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    PaymentError, Payments, store,
    stripe::{NewTerms, StripeError},
};
use crate::{
    catalogue::{Plan, Tier},
    ctx::{Ctx, Permission},
    orders::{Event, Grant, Order, Standing, What},
};

/// What to change; what is absent stays.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeOrder {
    /// Tier.
    #[serde(default)]
    pub tier: Option<Tier>,
    /// Machines.
    #[serde(default)]
    pub machines: Option<u64>,
}

/// What an order is to become.
struct Target<'a> {
    plan: &'a Plan,
    machines: u64,
    /// At once, or from the end of what is paid.
    at_once: bool,
    from: DateTime<Utc>,
}

impl Payments {
    /// Change tier or machines. What is more is charged for the rest of the term, or nothing changes; what is less begins
    /// with the next term.
    pub async fn change(
        &self,
        ctx: &Ctx,
        organisation: Uuid,
        order: Uuid,
        change: ChangeOrder,
    ) -> Result<Order, PaymentError> {
        ctx.require(organisation, Permission::OrdersManage)?;
        let order = self.orders.get(ctx, organisation, order).await?;
        let grant = order.grant.as_ref().filter(|grant| !grant.trial && order.standing == Standing::Active);
        let (Some(grant), Some(plan)) = (grant, &order.plan) else { return Err(PaymentError::NotChangeable) };
        let tier = change.tier.unwrap_or(grant.tier);
        let machines = change.machines.unwrap_or(grant.machines);
        if (tier, machines) == (grant.tier, grant.machines) {
            return Ok(order);
        }
        let target = self.target(plan, grant, tier, machines)?;
        self.charge(&order, &target).await?;
        let events = events(grant, &target, self.core.clock.now());
        let tx = self.core.db.begin().await?;
        let changed = self.orders.record_in(ctx, &tx, order.id, events).await?;
        tx.commit().await?;
        Ok(changed)
    }

    fn target(
        &self,
        plan: &Plan,
        grant: &Grant,
        tier: Tier,
        machines: u64,
    ) -> Result<Target<'_>, PaymentError> {
        let catalogue = &self.core.config.catalogue;
        if machines == 0 || machines > catalogue.max_machines {
            let why = format!("Order 1 to {} machines.", catalogue.max_machines);
            return Err(PaymentError::Invalid("machines", why));
        }
        let at_once = tier >= grant.tier && machines >= grant.machines;
        if !at_once && (tier > grant.tier || machines > grant.machines) {
            let why = "This is more of one and less of the other; change one after the other.";
            return Err(PaymentError::Invalid("machines", why.into()));
        }
        let alike = |p: &&Plan| p.tier == tier && p.interval == plan.interval && p.currency == plan.currency;
        let plan = catalogue.plans.iter().find(alike);
        let none =
            || PaymentError::Invalid("tier", "This tier is not sold for the interval of the order.".into());
        let from = if at_once { self.core.clock.now() } else { grant.until };
        Ok(Target { plan: plan.ok_or_else(none)?, machines, at_once, from })
    }

    async fn charge(&self, order: &Order, target: &Target<'_>) -> Result<(), PaymentError> {
        let db = self.core.db.read();
        if let (Some(id), Some(stripe)) = (store::of_order(db, order.id, "sub_").await?, &self.stripe) {
            let Target { plan, machines, at_once, from } = *target;
            let terms = NewTerms { plan, machines, charge_now: at_once, from };
            let key = format!("change-{}", Uuid::now_v7());
            return stripe.client.change_subscription(&id, &terms, &key).await.map_err(|error| match error {
                StripeError::Refused { status: 402, .. } => PaymentError::Declined(error),
                error => error.into(),
            });
        }
        let test = store::of_order(db, order.id, "test:").await?.is_some();
        if test && self.takes_test_payments() { Ok(()) } else { Err(PaymentError::AskVendor) }
    }
}

fn events(grant: &Grant, target: &Target<'_>, now: DateTime<Utc>) -> Vec<Event> {
    let id = format!("change-{}", Uuid::now_v7());
    let (tier, machines, from) = (target.plan.tier, target.machines, target.from);
    let mut events = Vec::new();
    if tier > grant.tier {
        events.push(What::Upgraded { tier, payment: None });
    } else if tier < grant.tier {
        events.push(What::Downgraded { tier, from });
    }
    if machines != grant.machines {
        events.push(What::MachinesChanged { machines, from });
    }
    events.into_iter().map(|what| Event { id: format!("{id}:{}", what.kind()), at: now, what }).collect()
}
