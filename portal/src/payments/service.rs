//! Payments: begins checkouts, takes webhooks, and tells orders what they mean.

use std::sync::Arc;

use anyhow::Context;
use sea_orm::{DatabaseTransaction, TransactionTrait};
use serde::Serialize;
use tokio::sync::Mutex;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    PaymentError, store,
    stripe::{self, Client, Meaning, StripeEvent, Wanted},
};
use crate::{
    app::Core,
    ctx::{Actor, Ctx, Permission},
    orders::{Event, Order, OrderError, Orders, PaymentRef, Standing},
};

/// Parked webhooks looked at again at a time.
const PARKED: u64 = 500;
/// How long a webhook waits for its order, in days. Stripe itself gives up after three.
const PARKED_DAYS: i64 = 30;

/// Where a customer pays.
#[derive(Debug, Clone, Serialize)]
pub struct Checkout {
    /// Address for the browser.
    pub url: String,
}

/// What became of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Received {
    /// Its order knows now.
    Applied,
    /// It was here before.
    Known,
    /// Its order is not known yet; it waits for the event that tells.
    Parked,
    /// It means nothing to this portal.
    Ignored,
}

pub(super) struct Stripe {
    pub(super) client: Client,
    secrets: Vec<Zeroizing<String>>,
    tolerance: i64,
}

/// The service.
pub struct Payments {
    pub(super) core: Arc<Core>,
    pub(super) orders: Arc<Orders>,
    pub(super) stripe: Option<Stripe>,
    /// Webhooks are taken one after the other, so that none is parked while the event it waits for is being written.
    turn: Mutex<()>,
}

impl Payments {
    /// Build over the shared part; reads Stripe's secrets where they are configured.
    pub fn new(core: Arc<Core>, orders: Arc<Orders>) -> anyhow::Result<Self> {
        let config = &core.config.payments.stripe;
        let stripe = match config.secret_key_file.as_str() {
            "" => None,
            file => {
                let key = secrets(file)?.into_iter().next().with_context(|| format!("{file} is empty"))?;
                Some(Stripe {
                    client: Client::new(config, key)?,
                    secrets: secrets(&config.webhook_secret_file)?,
                    tolerance: config.tolerance_s.into(),
                })
            }
        };
        Ok(Self { core, orders, stripe, turn: Mutex::new(()) })
    }

    /// Whether customers can pay by card.
    pub fn takes_cards(&self) -> bool {
        self.stripe.is_some()
    }

    /// Whether the test payment is offered.
    pub fn takes_test_payments(&self) -> bool {
        self.core.config.payments.test
    }

    /// Begin a checkout at Stripe. Asked again within a day it gives the same one: the order's id is the idempotency key.
    pub async fn checkout(
        &self,
        ctx: &Ctx,
        organisation: Uuid,
        order: Uuid,
    ) -> Result<Checkout, PaymentError> {
        ctx.require(organisation, Permission::OrdersManage)?;
        let stripe = self.stripe.as_ref().ok_or(PaymentError::NoStripe)?;
        let order = self.orders.get(ctx, organisation, order).await?;
        let plan = payable(&order)?;
        let page = self.core.link(&format!("/organisations/{organisation}/orders/{}", order.id));
        let wanted = Wanted {
            plan,
            machines: order.machines,
            order: order.id.to_string(),
            number: &order.number,
            success_url: page.clone(),
            cancel_url: page,
        };
        let session = stripe.client.create_checkout(&wanted, &format!("checkout-{}", order.id)).await?;
        store::link(self.core.db.write(), &session.id, order.id, None).await?;
        let url = session.url.ok_or(PaymentError::NothingToPay)?;
        Ok(Checkout { url })
    }

    /// Pay an order with nothing, in development. It is one payment, however often it is asked for.
    pub async fn test_payment(
        &self,
        ctx: &Ctx,
        organisation: Uuid,
        order: Uuid,
    ) -> Result<Order, PaymentError> {
        ctx.require(organisation, Permission::OrdersManage)?;
        if !self.takes_test_payments() {
            return Err(PaymentError::NoTestPayments);
        }
        let order = self.orders.get(ctx, organisation, order).await?;
        payable(&order)?;
        let payment = format!("test:{}", order.id);
        Ok(self.orders.pay(ctx, order.id, PaymentRef(payment.clone()), payment).await?)
    }

    /// Cancel an order, and its subscription at Stripe where there is one.
    pub async fn cancel(&self, ctx: &Ctx, organisation: Uuid, order: Uuid) -> Result<Order, PaymentError> {
        ctx.require(organisation, Permission::OrdersManage)?;
        let known = self.orders.get(ctx, organisation, order).await?;
        let subscription = store::of_order(self.core.db.read(), known.id, "sub_").await?;
        if let (Some(subscription), Some(stripe)) = (subscription, &self.stripe) {
            // First there, then here: a customer who is told of the end must not be charged again.
            stripe.client.cancel_at_period_end(&subscription, &format!("cancel-{order}")).await?;
        }
        Ok(self.orders.cancel(ctx, organisation, order).await?)
    }

    /// Take a webhook of Stripe: the exact bytes, and the header that signs them.
    pub async fn receive(&self, visitor: &Ctx, header: &str, body: &[u8]) -> Result<Received, PaymentError> {
        let stripe = self.stripe.as_ref().ok_or(PaymentError::NoStripe)?;
        let now = self.core.clock.now().timestamp();
        stripe::verify(header, body, &stripe.secrets, now, stripe.tolerance)?;
        let event: StripeEvent = serde_json::from_slice(body).map_err(PaymentError::Malformed)?;
        let ctx = Ctx {
            actor: Actor::Stripe,
            actor_name: "Stripe".into(),
            client_ip: visitor.client_ip,
            ..Ctx::new(Actor::Stripe, "Stripe", visitor.request_id.clone())
        };
        let _turn = self.turn.lock().await;
        let tx = self.core.db.begin().await?;
        if store::webhook(&tx, &event.id).await?.is_some() {
            return Ok(Received::Known);
        }
        let received = self.apply(&ctx, &tx, &event).await?;
        let state = match received {
            Received::Ignored => store::State::Ignored,
            Received::Parked => store::State::Parked,
            Received::Applied | Received::Known => store::State::Applied,
        };
        let text = String::from_utf8_lossy(body);
        store::insert(&tx, &event.id, &event.kind, &text, state, self.core.clock.now()).await?;
        if received == Received::Applied {
            self.retry_parked_in(&ctx, &tx).await?;
        }
        tx.commit().await?;
        Ok(received)
    }

    /// Look again at webhooks whose order was not known.
    pub async fn retry_parked(&self, ctx: &Ctx) -> Result<(), PaymentError> {
        ctx.require_staff()?;
        let _turn = self.turn.lock().await;
        let tx = self.core.db.begin().await?;
        self.retry_parked_in(ctx, &tx).await?;
        tx.commit().await?;
        Ok(())
    }

    /// How many webhooks wait for an order.
    pub async fn parked(&self, ctx: &Ctx) -> Result<u64, PaymentError> {
        ctx.require_staff()?;
        Ok(store::count_parked(self.core.db.read()).await?)
    }

    async fn retry_parked_in(&self, ctx: &Ctx, tx: &DatabaseTransaction) -> Result<(), PaymentError> {
        let since = self.core.clock.now() - chrono::Duration::days(PARKED_DAYS);
        // One may tell what another waits for, so it goes on while something moves.
        loop {
            let mut moved = false;
            for row in store::parked(tx, since, PARKED).await? {
                let event: StripeEvent = serde_json::from_str(&row.body).map_err(PaymentError::Malformed)?;
                if self.apply(ctx, tx, &event).await? == Received::Applied {
                    store::set_applied(tx, &row.id).await?;
                    moved = true;
                }
            }
            if !moved {
                return Ok(());
            }
        }
    }

    /// Tell the order what an event means. All or nothing, also where the order refuses it.
    async fn apply(
        &self,
        ctx: &Ctx,
        tx: &DatabaseTransaction,
        event: &StripeEvent,
    ) -> Result<Received, PaymentError> {
        let meaning = stripe::meaning(event);
        if meaning == Meaning::default() {
            return Ok(Received::Ignored);
        }
        let ids = meaning.payment.iter().flat_map(|p| p.ids.clone());
        let ids: Vec<String> = ids.chain(meaning.references.iter().cloned()).collect();
        let known = store::references(tx, &ids).await?;
        let order = meaning.order.or_else(|| known.first().map(|row| row.order_id));
        let Some(order) = order else { return Ok(Received::Parked) };
        let payment = meaning.payment.as_ref();
        let name = payment.and_then(|payment| {
            let told = || known.iter().filter(|row| payment.ids.contains(&row.reference));
            payment.name.clone().or_else(|| told().find_map(|row| row.payment.clone()).map(PaymentRef))
        });
        if name.is_none() && meaning.news.iter().any(stripe::News::needs_payment) {
            return Ok(Received::Parked);
        }
        let name = name.unwrap_or_else(|| PaymentRef(String::new()));
        let events = meaning.news.into_iter().enumerate().map(|(n, news)| Event {
            id: format!("stripe:{}:{n}", event.id),
            at: event.created,
            what: news.told(&name),
        });
        let inner = tx.begin().await?;
        match self.orders.record_in(ctx, &inner, order, events.collect()).await {
            Ok(_) => inner.commit().await?,
            // An order of another portal that shares the account, or one that names another's payment: nothing of ours.
            Err(error @ (OrderError::NotFound(_) | OrderError::PaidElsewhere(_))) => {
                tracing::warn!(event = %event.id, %error, "an event of Stripe is about nothing here");
                inner.rollback().await?;
                return Ok(Received::Ignored);
            }
            Err(error) => return Err(error.into()),
        }
        for id in &meaning.references {
            store::link(tx, id, order, None).await?;
        }
        for id in meaning.payment.iter().flat_map(|p| &p.ids) {
            store::link(tx, id, order, Some(&name.0)).await?;
        }
        Ok(Received::Applied)
    }
}

/// The plan of an order that waits for its first payment.
fn payable(order: &Order) -> Result<&crate::catalogue::Plan, PaymentError> {
    let ended_trial = order.standing == Standing::Expired && order.grant.as_ref().is_some_and(|g| g.trial);
    let failed = order.standing == Standing::PastDue && order.grant.is_none();
    let waits = matches!(order.standing, Standing::Pending | Standing::Trial) || ended_trial || failed;
    order.plan.as_ref().filter(|_| waits).ok_or(PaymentError::NothingToPay)
}

fn secrets(file: &str) -> anyhow::Result<Vec<Zeroizing<String>>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
    let text = Zeroizing::new(text);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let secrets: Vec<_> = lines.map(|line| Zeroizing::new(line.to_owned())).collect();
    anyhow::ensure!(!secrets.is_empty(), "{file} is empty");
    Ok(secrets)
}
