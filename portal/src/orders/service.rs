//! Orders: made, looked at, and told what happened to them. Every event is recorded and turned into its licence in one
//! transaction.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Duration, Utc};
use data_encoding::BASE32_NOPAD;
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Event, Grant, History, OrderError, PaymentRef, Period, Standing, Verdict, What,
    entity::{event, order},
    store,
};
use crate::{
    app::Core,
    audit::Change,
    catalogue::{Plan, Tier},
    ctx::{Ctx, Permission},
    licensing::Licensing,
    secret,
};

/// Most orders of an organisation that wait for payment.
const MAX_PENDING: usize = 10;
/// Orders brought up to date at a time.
const BATCH: u64 = 100;

/// What to order.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    /// Id of the plan.
    pub plan: String,
    /// For how many machines.
    pub machines: u64,
}

/// An order as its customer sees it.
#[derive(Debug, Clone, Serialize)]
pub struct Order {
    /// Id.
    pub id: Uuid,
    /// Number for people.
    pub number: String,
    /// Whose it is.
    pub organisation: Uuid,
    /// Id of its licence.
    pub license: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// The plan as it was ordered.
    pub plan: Option<Plan>,
    /// Machines as ordered.
    pub machines: u64,
    /// Price of one interval, as ordered.
    pub price: i64,
    /// Whether it began as a trial.
    pub trial: bool,
    /// How it stands.
    pub standing: Standing,
    /// What is granted now.
    pub grant: Option<Grant>,
    /// A period that began and is not paid.
    pub unpaid: Option<Period>,
}

/// What happened to an order.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// The event.
    #[serde(flatten)]
    pub event: Event,
    /// When the portal heard of it.
    pub recorded_at: DateTime<Utc>,
    /// Who told.
    pub actor: String,
}

/// The service.
pub struct Orders {
    pub(super) core: Arc<Core>,
    pub(super) licensing: Arc<Licensing>,
}

impl Orders {
    /// Build over the shared part.
    pub fn new(core: Arc<Core>, licensing: Arc<Licensing>) -> Self {
        Self { core, licensing }
    }

    /// Order a plan. It grants nothing until it is paid.
    pub async fn create(&self, ctx: &Ctx, organisation: Uuid, new: NewOrder) -> Result<Order, OrderError> {
        ctx.require(organisation, Permission::OrdersManage)?;
        let ordered = self.ordered(&new)?;
        let tx = self.core.db.begin().await?;
        self.require_few_pending(&tx, organisation).await?;
        let order = self.begin_order(ctx, &tx, organisation, vec![ordered]).await?;
        tx.commit().await?;
        Ok(order)
    }

    /// Begin a trial of a plan: one for each organisation, ever.
    pub async fn start_trial(&self, ctx: &Ctx, organisation: Uuid, plan: &str) -> Result<Order, OrderError> {
        ctx.require(organisation, Permission::OrdersManage)?;
        let catalogue = &self.core.config.catalogue;
        if catalogue.trial_days == 0 {
            return Err(OrderError::NoTrials);
        }
        let new = NewOrder { plan: plan.to_owned(), machines: catalogue.trial_machines };
        let ordered = self.ordered(&new)?;
        let until = self.core.clock.now() + Duration::days(catalogue.trial_days.into());
        let tx = self.core.db.begin().await?;
        crate::accounts::lock_organisation(&tx, organisation).await?;
        let ids: Vec<Uuid> =
            store::of_organisation(&tx, organisation).await?.iter().map(|order| order.id).collect();
        if store::has_kind(&tx, &ids, "trial_started").await? {
            return Err(OrderError::TrialUsed);
        }
        let events = vec![ordered, What::TrialStarted { until }];
        let order = self.begin_order(ctx, &tx, organisation, events).await?;
        tx.commit().await?;
        Ok(order)
    }

    fn ordered(&self, new: &NewOrder) -> Result<What, OrderError> {
        let catalogue = &self.core.config.catalogue;
        let plan = catalogue.plans.iter().find(|p| p.id == new.plan).ok_or(OrderError::NotFound("plan"))?;
        let most = catalogue.max_machines.max(catalogue.trial_machines);
        if new.machines == 0 || new.machines > most {
            return Err(OrderError::Invalid("machines", format!("Order 1 to {most} machines.")));
        }
        Ok(What::Ordered { plan: plan.clone(), machines: new.machines })
    }

    async fn require_few_pending(
        &self,
        tx: &DatabaseTransaction,
        organisation: Uuid,
    ) -> Result<(), OrderError> {
        crate::accounts::lock_organisation(tx, organisation).await?;
        let orders = self.read(tx, store::of_organisation(tx, organisation).await?).await?;
        let pending = orders.iter().filter(|o| o.standing == Standing::Pending).count();
        if pending >= MAX_PENDING { Err(OrderError::TooManyPending) } else { Ok(()) }
    }

    async fn begin_order(
        &self,
        ctx: &Ctx,
        tx: &DatabaseTransaction,
        organisation: Uuid,
        events: Vec<What>,
    ) -> Result<Order, OrderError> {
        let row = order::Model {
            id: Uuid::now_v7(),
            number: format!("O-{}", BASE32_NOPAD.encode(&secret::random::<5>())),
            organisation_id: organisation,
            license_id: Uuid::new_v4().to_string(),
            created_at: self.core.clock.now(),
        };
        let change = Change::new("order.created", "order", row.id).of(organisation).detail(&events);
        store::insert(tx, row.clone()).await?;
        self.core.audit.record_in(ctx, tx, change).await?;
        let at = self.core.clock.now();
        let events = events.into_iter().map(|what| Event { id: what.kind().to_owned(), at, what });
        self.record_in(ctx, tx, row.id, events.collect()).await
    }

    /// Orders of an organisation, newest first.
    pub async fn list(&self, ctx: &Ctx, organisation: Uuid) -> Result<Vec<Order>, OrderError> {
        if !ctx.staff {
            ctx.require(organisation, Permission::OrdersRead)?;
        }
        let db = self.core.db.read();
        self.read(db, store::of_organisation(db, organisation).await?).await
    }

    /// Orders of everybody, a hundred at a time, oldest first.
    pub async fn list_all(&self, ctx: &Ctx, after: Option<Uuid>) -> Result<Vec<Order>, OrderError> {
        ctx.require_staff()?;
        let db = self.core.db.read();
        self.read(db, store::all(db, after, BATCH).await?).await
    }

    /// One order of an organisation.
    pub async fn get(&self, ctx: &Ctx, organisation: Uuid, id: Uuid) -> Result<Order, OrderError> {
        if !ctx.staff {
            ctx.require(organisation, Permission::OrdersRead)?;
        }
        let db = self.core.db.read();
        let row = store::get(db, id).await?.filter(|order| order.organisation_id == organisation);
        let row = row.ok_or(OrderError::NotFound("order"))?;
        self.read(db, vec![row]).await?.pop().ok_or(OrderError::NotFound("order"))
    }

    /// What happened to an order, as the portal heard of it.
    pub async fn history(&self, ctx: &Ctx, organisation: Uuid, id: Uuid) -> Result<Vec<Entry>, OrderError> {
        let order = self.get(ctx, organisation, id).await?;
        let rows = store::rows(self.core.db.read(), &[order.id]).await?;
        let entry = |row: event::Model| {
            let (recorded_at, actor) = (row.recorded_at, row.actor.clone());
            Ok(Entry { event: store::parse(row)?, recorded_at, actor })
        };
        rows.into_iter().map(entry).collect()
    }

    /// Say that there will be no further period. What is paid for stays.
    pub async fn cancel(&self, ctx: &Ctx, organisation: Uuid, id: Uuid) -> Result<Order, OrderError> {
        ctx.require(organisation, Permission::OrdersManage)?;
        self.get(ctx, organisation, id).await?;
        self.record(ctx, id, "cancelled".into(), What::Cancelled).await
    }

    /// Bind the licence to a host instance, or free it.
    pub async fn transfer(
        &self,
        ctx: &Ctx,
        organisation: Uuid,
        id: Uuid,
        instance: Option<trust::KeyId>,
    ) -> Result<Order, OrderError> {
        ctx.require(organisation, Permission::LicensesManage)?;
        let row = store::get(self.core.db.read(), id).await?;
        row.filter(|order| order.organisation_id == organisation).ok_or(OrderError::NotFound("order"))?;
        let event = format!("transfer-{}", Uuid::now_v7());
        self.record(ctx, id, event, What::Transferred { instance }).await
    }

    /// What the vendor's staff know: an invoice was paid, an order is void. The id makes repeating it harmless.
    pub async fn tell(&self, ctx: &Ctx, order: Uuid, event: String, what: What) -> Result<Order, OrderError> {
        ctx.require_staff()?;
        if event.is_empty() || event.len() > 100 {
            return Err(OrderError::Invalid("id", "An id has 1 to 100 characters.".into()));
        }
        self.record(ctx, order, format!("staff:{event}"), what).await
    }

    /// A customer paid the vendor's invoice: one more interval, after what is paid already.
    pub async fn invoice_paid(&self, ctx: &Ctx, order: Uuid, number: &str) -> Result<Order, OrderError> {
        ctx.require_staff()?;
        if number.is_empty() || number.len() > 60 {
            return Err(OrderError::Invalid("number", "The invoice's number has 1 to 60 characters.".into()));
        }
        let payment = PaymentRef(format!("invoice:{number}"));
        self.pay(ctx, order, payment, format!("invoice:{number}")).await
    }

    /// Record a payment of one interval, after what is paid already. One payment counts once, whoever tells of it again.
    pub(crate) async fn pay(
        &self,
        ctx: &Ctx,
        order: Uuid,
        payment: PaymentRef,
        event: String,
    ) -> Result<Order, OrderError> {
        let tx = self.core.db.begin().await?;
        let row = store::locked(&tx, order).await?.ok_or(OrderError::NotFound("order"))?;
        let history = self.histories(&tx, &[row.id]).await?.remove(&row.id).unwrap_or_default();
        let now = self.core.clock.now();
        let (plan, ordered) = history.ordered().ok_or(OrderError::NotFound("plan"))?;
        let (tier, machines, from) = match history.verdict(now) {
            Verdict::Grant(grant) if !grant.trial => (grant.tier, grant.machines, grant.until.max(now)),
            Verdict::Grant(grant) => (grant.tier, grant.machines, now),
            Verdict::Revoked { .. } => return Err(OrderError::Over("revoked")),
            _ => (plan.tier, ordered, now),
        };
        let amount = self.plan_for(plan, tier).price(machines).unwrap_or(i64::MAX);
        let period = Period { from, until: plan.interval.after(from) };
        let what = What::InvoicePaid { payment, amount, period };
        let order = self.record_in(ctx, &tx, order, vec![Event { id: event, at: now, what }]).await?;
        tx.commit().await?;
        // A licence may have been revoked.
        self.core.outdated.notify_one();
        Ok(order)
    }

    /// The plan that sells a tier on an order's terms: its own, or that of the catalogue for a tier it was changed to.
    fn plan_for<'a>(&'a self, ordered: &'a Plan, tier: Tier) -> &'a Plan {
        let alike = |p: &&Plan| p.interval == ordered.interval && p.currency == ordered.currency;
        let mut sold = self.core.config.catalogue.plans.iter().filter(alike);
        let other = sold.find(|plan| plan.tier == tier && tier != ordered.tier);
        other.unwrap_or(ordered)
    }

    pub(super) async fn record(
        &self,
        ctx: &Ctx,
        order: Uuid,
        event: String,
        what: What,
    ) -> Result<Order, OrderError> {
        let event = Event { id: event, at: self.core.clock.now(), what };
        let tx = self.core.db.begin().await?;
        let order = self.record_in(ctx, &tx, order, vec![event]).await?;
        tx.commit().await?;
        // A licence may have been revoked.
        self.core.outdated.notify_one();
        Ok(order)
    }

    /// Record events, and make the licence say what follows from them. Events that are known change nothing.
    pub(crate) async fn record_in(
        &self,
        ctx: &Ctx,
        tx: &DatabaseTransaction,
        order: Uuid,
        events: Vec<Event>,
    ) -> Result<Order, OrderError> {
        let row = store::locked(tx, order).await?.ok_or(OrderError::NotFound("order"))?;
        for event in &events {
            if let Some(payment) = event.what.paid()
                && !store::claim(tx, order, &payment.0).await?
            {
                return Err(OrderError::PaidElsewhere(payment.0.clone()));
            }
            if store::record(tx, order, event, ctx.actor.to_string(), self.core.clock.now()).await? {
                let change = Change::new("order.event", "order", order).of(row.organisation_id).detail(event);
                self.core.audit.record_in(ctx, tx, change).await?;
            }
        }
        let history = self.histories(tx, &[order]).await?.remove(&order).unwrap_or_default();
        let now = self.core.clock.now();
        self.licensing.follow(ctx, tx, &row, &history.verdict(now)).await?;
        Ok(view(row, &history, now))
    }

    /// Bring every licence up to date: changes that begin later, engines that are new.
    pub async fn refresh(&self, ctx: &Ctx) -> Result<(), OrderError> {
        ctx.require_staff()?;
        let mut after = None;
        loop {
            let rows = store::all(self.core.db.read(), after, BATCH).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = Some(last.id);
            for row in rows {
                let tx = self.core.db.begin().await?;
                self.record_in(ctx, &tx, row.id, Vec::new()).await?;
                tx.commit().await?;
            }
        }
    }

    pub(super) async fn histories(
        &self,
        db: &impl ConnectionTrait,
        orders: &[Uuid],
    ) -> Result<HashMap<Uuid, History>, OrderError> {
        let mut histories: HashMap<Uuid, History> = HashMap::new();
        for row in store::rows(db, orders).await? {
            let order = row.order_id;
            histories.entry(order).or_default().apply(&store::parse(row)?);
        }
        Ok(histories)
    }

    async fn read(
        &self,
        db: &impl ConnectionTrait,
        rows: Vec<order::Model>,
    ) -> Result<Vec<Order>, OrderError> {
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let mut histories = self.histories(db, &ids).await?;
        let now = self.core.clock.now();
        let orders = rows.into_iter().map(|row| {
            let history = histories.remove(&row.id).unwrap_or_default();
            view(row, &history, now)
        });
        Ok(orders.collect())
    }
}

fn view(row: order::Model, history: &History, now: DateTime<Utc>) -> Order {
    let (plan, machines) = history.ordered().map_or((None, 0), |(plan, n)| (Some(plan.clone()), n));
    let grant = match history.verdict(now) {
        Verdict::Grant(grant) | Verdict::Ended { grant } => Some(grant),
        _ => None,
    };
    Order {
        id: row.id,
        number: row.number,
        organisation: row.organisation_id,
        license: row.license_id,
        created_at: row.created_at,
        price: plan.as_ref().and_then(|p| p.price(machines)).unwrap_or(0),
        plan,
        machines,
        trial: history.trial.is_some(),
        standing: history.standing(now),
        grant,
        unpaid: history.unpaid(),
    }
}
