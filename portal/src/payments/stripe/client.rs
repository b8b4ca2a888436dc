//! Requests to Stripe: form-encoded, each with an idempotency key, so that one that is repeated is done once.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::API_VERSION;
use crate::{catalogue::Plan, config::StripeConfig};

/// Largest answer that is read, in bytes.
const MAX_ANSWER: usize = 256 * 1024;

/// Why Stripe did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StripeError {
    /// No answer.
    #[error("Stripe does not answer")]
    Unreachable(#[source] reqwest::Error),
    /// It refused.
    #[error("Stripe answers {status}: {kind} {message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// `type` of the error.
        kind: String,
        /// `message` of the error.
        message: String,
    },
    /// Not what was expected.
    #[error("Stripe's answer does not read")]
    Odd(#[source] serde_json::Error),
    /// A subscription without anything in it.
    #[error("the subscription holds nothing")]
    NoItem,
    /// Too much.
    #[error("Stripe's answer is larger than {MAX_ANSWER} bytes")]
    TooLarge,
}

/// A checkout session.
#[derive(Debug, Clone, Deserialize)]
pub struct Session {
    /// `cs_...`
    pub id: String,
    /// Where the customer pays.
    pub url: Option<String>,
}

#[derive(Deserialize)]
struct Failure {
    error: FailureBody,
}

#[derive(Deserialize, Default)]
struct FailureBody {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    message: String,
}

/// What to sell.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// How many machines.
    pub machines: u64,
    /// Id of the order: every event of this purchase carries it.
    pub order: String,
    /// Number of the order, for the customer's bill.
    pub number: &'a str,
    /// Where the browser goes afterwards.
    pub success_url: String,
    /// Where it goes when the customer turns back.
    pub cancel_url: String,
}

/// What a subscription is to become.
#[derive(Debug, Clone)]
pub struct NewTerms<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// How many machines.
    pub machines: u64,
    /// Charge the difference for the rest of the period now, or change nothing; else it counts from the next period on.
    pub charge_now: bool,
    /// When it begins.
    pub from: DateTime<Utc>,
}

#[derive(Deserialize)]
struct Subscription {
    items: Items,
}

#[derive(Deserialize)]
struct Items {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    id: String,
    price: Price,
}

#[derive(Deserialize)]
struct Price {
    product: String,
}

/// A client of Stripe's API.
pub struct Client {
    http: reqwest::Client,
    base: String,
    key: Zeroizing<String>,
}

impl Client {
    /// A client with a secret key.
    pub fn new(config: &StripeConfig, key: Zeroizing<String>) -> Result<Self, reqwest::Error> {
        let timeout = Duration::from_secs(config.timeout_s);
        let http = reqwest::Client::builder()
            .timeout(timeout)
            .connect_timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { http, base: config.api_url.trim_end_matches('/').to_owned(), key })
    }

    /// Begin a checkout of a subscription.
    pub async fn create_checkout(
        &self,
        wanted: &Wanted<'_>,
        idempotency: &str,
    ) -> Result<Session, StripeError> {
        let form = checkout_form(wanted);
        self.post("/v1/checkout/sessions", &form, idempotency).await
    }

    /// End a subscription when what is paid is over.
    pub async fn cancel_at_period_end(
        &self,
        subscription: &str,
        idempotency: &str,
    ) -> Result<(), StripeError> {
        let form = [("cancel_at_period_end".to_owned(), "true".to_owned())];
        let path = format!("/v1/subscriptions/{subscription}");
        self.post::<serde::de::IgnoredAny>(&path, &form, idempotency).await.map(drop)
    }

    /// Change what a subscription is for.
    pub async fn change_subscription(
        &self,
        subscription: &str,
        terms: &NewTerms<'_>,
        idempotency: &str,
    ) -> Result<(), StripeError> {
        let path = format!("/v1/subscriptions/{subscription}");
        let known: Subscription = self.answer(self.http.get(format!("{}{path}", self.base))).await?;
        let item = known.items.data.first().ok_or(StripeError::NoItem)?;
        let form = terms_form(item, terms);
        self.post::<serde::de::IgnoredAny>(&path, &form, idempotency).await.map(drop)
    }

    async fn post<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        form: &[(String, String)],
        idempotency: &str,
    ) -> Result<T, StripeError> {
        let request = self
            .http
            .post(format!("{}{path}", self.base))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("idempotency-key", idempotency)
            .body(encoded(form));
        self.answer(request).await
    }

    async fn answer<T: serde::de::DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<T, StripeError> {
        let request = request.bearer_auth(&*self.key).header("stripe-version", API_VERSION);
        let mut response = request.send().await.map_err(StripeError::Unreachable)?;
        let status = response.status();
        let mut answer = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(StripeError::Unreachable)? {
            answer.extend_from_slice(&piece);
            if answer.len() > MAX_ANSWER {
                return Err(StripeError::TooLarge);
            }
        }
        if status.is_success() {
            return serde_json::from_slice(&answer).map_err(StripeError::Odd);
        }
        let told = serde_json::from_slice::<Failure>(&answer).map(|f| f.error).unwrap_or_default();
        Err(StripeError::Refused { status: status.as_u16(), kind: told.kind, message: told.message })
    }
}

fn encoded(form: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish()
}

fn terms_form(item: &Item, terms: &NewTerms<'_>) -> Vec<(String, String)> {
    let (plan, price) = (terms.plan, "items[0][price_data]");
    let mut pairs = vec![
        ("items[0][id]".to_owned(), item.id.clone()),
        ("items[0][quantity]".to_owned(), terms.machines.to_string()),
        (format!("{price}[product]"), item.price.product.clone()),
        (format!("{price}[currency]"), plan.currency.clone()),
        (format!("{price}[unit_amount]"), plan.unit_amount.to_string()),
        (format!("{price}[recurring][interval]"), plan.interval.name().to_owned()),
    ];
    let (proration, behaviour) = match terms.charge_now {
        true => ("always_invoice", "error_if_incomplete"),
        false => ("none", "allow_incomplete"),
    };
    // Stripe's event of it carries these: were the portal to end here, it would still be told.
    pairs.push(("metadata[tier]".to_owned(), plan.tier.name().to_owned()));
    pairs.push(("metadata[tier_from]".to_owned(), terms.from.timestamp().to_string()));
    pairs.push(("proration_behavior".to_owned(), proration.to_owned()));
    pairs.push(("payment_behavior".to_owned(), behaviour.to_owned()));
    pairs
}

/// The same for every member of the organisation: an idempotency key is for one set of parameters. Stripe asks for the address.
fn checkout_form(wanted: &Wanted<'_>) -> Vec<(String, String)> {
    let plan = wanted.plan;
    let price = "line_items[0][price_data]";
    let pairs = [
        ("mode".to_owned(), "subscription".to_owned()),
        ("client_reference_id".to_owned(), wanted.order.clone()),
        ("success_url".to_owned(), wanted.success_url.clone()),
        ("cancel_url".to_owned(), wanted.cancel_url.clone()),
        ("metadata[order]".to_owned(), wanted.order.clone()),
        // Invoices carry the metadata of their subscription: this is how they find the order.
        ("subscription_data[metadata][order]".to_owned(), wanted.order.clone()),
        ("subscription_data[description]".to_owned(), format!("SysManage order {}", wanted.number)),
        ("line_items[0][quantity]".to_owned(), wanted.machines.to_string()),
        (format!("{price}[currency]"), plan.currency.clone()),
        (format!("{price}[unit_amount]"), plan.unit_amount.to_string()),
        (format!("{price}[recurring][interval]"), plan.interval.name().to_owned()),
        (format!("{price}[product_data][name]"), format!("SysManage {}, one machine", plan.tier.title())),
    ];
    pairs.into()
}
