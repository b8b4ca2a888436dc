//! What an event of Stripe means for an order. Unknown kinds mean nothing; missing members make an event mean less, never
//! more.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    catalogue::Tier,
    orders::{Dispute, PaymentRef, Period, What},
};

/// An event as it arrives.
#[derive(Debug, Clone, Deserialize)]
pub struct StripeEvent {
    /// `evt_...`
    pub id: String,
    /// `invoice.paid`
    #[serde(rename = "type")]
    pub kind: String,
    /// When it happened.
    #[serde(with = "chrono::serde::ts_seconds")]
    pub created: DateTime<Utc>,
    /// What it is about.
    pub data: Data,
}

/// What an event is about.
#[derive(Debug, Clone, Deserialize)]
pub struct Data {
    /// The object, after the event.
    pub object: Value,
    /// What of it was different before.
    #[serde(default)]
    pub previous_attributes: Value,
}

/// What an event means.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meaning {
    /// The order, where the event names it.
    pub order: Option<Uuid>,
    /// Ids of Stripe that belong to the same order.
    pub references: Vec<String>,
    /// Ids that belong to the same payment, and the name that the payment has here where the event tells.
    pub payment: Option<Payment>,
    /// What happened, given the payment's name.
    pub news: Vec<News>,
}

/// A payment as an event names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// The name here; absent where another event has to tell.
    pub name: Option<PaymentRef>,
    /// Ids of Stripe for it.
    pub ids: Vec<String>,
}

/// What happened, as far as the event tells. [`News::told`] makes the order's event of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// A checkout was paid.
    Paid(i64),
    /// An invoice was paid.
    InvoicePaid(i64, Period),
    /// A payment failed.
    Failed,
    /// So much went back in all.
    Refunded(i64),
    /// A chargeback.
    Chargeback(String, Dispute),
    /// Not about a payment.
    Other(What),
}

impl News {
    /// Whether it is about a payment.
    pub fn needs_payment(&self) -> bool {
        !matches!(self, Self::Other(_))
    }

    /// The order's event, for a payment of this name.
    pub fn told(self, payment: &PaymentRef) -> What {
        let payment = payment.clone();
        match self {
            Self::Paid(amount) => What::Paid { payment, amount },
            Self::InvoicePaid(amount, period) => What::InvoicePaid { payment, amount, period },
            Self::Failed => What::PaymentFailed { payment },
            Self::Refunded(total) => What::Refunded { payment, total },
            Self::Chargeback(case, dispute) => What::Chargeback { payment, case, dispute },
            Self::Other(what) => what,
        }
    }
}

/// What an event means.
pub fn meaning(event: &StripeEvent) -> Meaning {
    let object = &event.data.object;
    match event.kind.as_str() {
        "checkout.session.completed" => match text(object, "payment_status").as_deref() {
            Some("paid") => checkout(object, News::Paid(amount(object, "amount_total"))),
            // The money of slow ways to pay comes later, or not.
            _ => Meaning { news: Vec::new(), ..checkout(object, News::Failed) },
        },
        "checkout.session.async_payment_succeeded" => {
            checkout(object, News::Paid(amount(object, "amount_total")))
        }
        "checkout.session.async_payment_failed" => checkout(object, News::Failed),
        "invoice.paid" => match invoice_period(object) {
            Some(period) => invoice(object, News::InvoicePaid(amount(object, "amount_paid"), period)),
            None => Meaning::default(),
        },
        "invoice.payment_failed" => invoice(object, News::Failed),
        "customer.subscription.updated" => subscription(object, updated(event)),
        "customer.subscription.deleted" => subscription(object, vec![News::Other(What::Cancelled)]),
        "charge.refunded" => charge(object, News::Refunded(amount(object, "amount_refunded"))),
        "charge.dispute.created" | "charge.dispute.updated" | "charge.dispute.closed" => dispute(object),
        _ => Meaning::default(),
    }
}

fn checkout(object: &Value, news: News) -> Meaning {
    let order = text(object, "client_reference_id").or_else(|| text(&object["metadata"], "order"));
    let invoice = id(object, "invoice");
    let name = invoice.clone().or_else(|| id(object, "payment_intent"));
    Meaning {
        order: order.and_then(|o| o.parse().ok()),
        references: ids(object, &["id", "subscription"]),
        payment: name.map(|name| Payment {
            name: Some(PaymentRef(name)),
            ids: ids(object, &["invoice", "payment_intent"]),
        }),
        news: vec![news],
    }
}

fn invoice(object: &Value, news: News) -> Meaning {
    let order = text(&object["subscription_details"]["metadata"], "order");
    Meaning {
        order: order.and_then(|o| o.parse().ok()),
        references: ids(object, &["subscription"]),
        payment: id(object, "id").map(|name| Payment {
            name: Some(PaymentRef(name)),
            ids: ids(object, &["id", "payment_intent", "charge"]),
        }),
        news: vec![news],
    }
}

/// From the first moment that the subscription's lines pay for to the last.
fn invoice_period(object: &Value) -> Option<Period> {
    let lines = object["lines"]["data"].as_array()?;
    let periods = lines.iter().filter_map(|line| {
        let (from, until) = (at(&line["period"]["start"])?, at(&line["period"]["end"])?);
        (from < until).then_some(Period { from, until })
    });
    periods.reduce(|a, b| Period { from: a.from.min(b.from), until: a.until.max(b.until) })
}

fn subscription(object: &Value, news: Vec<News>) -> Meaning {
    let order = text(&object["metadata"], "order");
    Meaning {
        order: order.and_then(|o| o.parse().ok()),
        references: ids(object, &["id"]),
        payment: None,
        news,
    }
}

/// What changed in a subscription: its period, or for how many machines.
fn updated(event: &StripeEvent) -> Vec<News> {
    let (object, before) = (&event.data.object, &event.data.previous_attributes);
    let mut news = Vec::new();
    let began = before.get("current_period_start").is_some() || before.get("current_period_end").is_some();
    if let (true, Some(from), Some(until)) =
        (began, at(&object["current_period_start"]), at(&object["current_period_end"]))
        && from < until
    {
        news.push(News::Other(What::Renewed { period: Period { from, until } }));
    }
    let counted = before.get("quantity").is_some() || before.get("items").is_some();
    let machines = object["items"]["data"][0]["quantity"].as_u64().filter(|n| *n > 0);
    if let (true, Some(machines)) = (counted, machines) {
        // Fewer are what the next period is for: this one is paid.
        let fewer = before["quantity"].as_u64().is_some_and(|before| machines < before);
        let end = at(&object["current_period_end"]).filter(|_| fewer);
        news.push(News::Other(What::MachinesChanged { machines, from: end.unwrap_or(event.created) }));
    }
    news.extend(new_tier(event).map(News::Other));
    news
}

/// The tier that the portal itself wrote into the subscription, and from when on.
fn new_tier(event: &StripeEvent) -> Option<What> {
    event.data.previous_attributes.get("metadata")?;
    let metadata = &event.data.object["metadata"];
    let tier = Tier::named(metadata["tier"].as_str()?)?;
    let from = DateTime::from_timestamp(metadata["tier_from"].as_str()?.parse().ok()?, 0)?;
    Some(match from <= event.created {
        true => What::Upgraded { tier, payment: None },
        false => What::Downgraded { tier, from },
    })
}

fn charge(object: &Value, news: News) -> Meaning {
    Meaning {
        order: None,
        references: Vec::new(),
        payment: Some(Payment { name: None, ids: ids(object, &["invoice", "payment_intent", "id"]) }),
        news: vec![news],
    }
}

fn dispute(object: &Value) -> Meaning {
    let dispute = match object["status"].as_str() {
        Some("needs_response" | "under_review") => Dispute::Open,
        Some("won") => Dispute::Won,
        Some("lost") => Dispute::Lost,
        // Inquiries: the money is still here.
        _ => return Meaning::default(),
    };
    let Some(case) = id(object, "id") else { return Meaning::default() };
    Meaning {
        order: None,
        references: Vec::new(),
        payment: Some(Payment { name: None, ids: ids(object, &["payment_intent", "charge"]) }),
        news: vec![News::Chargeback(case, dispute)],
    }
}

fn text(object: &Value, key: &str) -> Option<String> {
    object[key].as_str().filter(|text| !text.is_empty() && text.len() <= 200).map(str::to_owned)
}

/// An id, or the id of an expanded object.
fn id(object: &Value, key: &str) -> Option<String> {
    text(object, key).or_else(|| text(&object[key], "id"))
}

fn ids(object: &Value, keys: &[&str]) -> Vec<String> {
    keys.iter().filter_map(|key| id(object, key)).collect()
}

fn amount(object: &Value, key: &str) -> i64 {
    object[key].as_i64().unwrap_or(0)
}

fn at(value: &Value) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(value.as_i64()?, 0)
}
