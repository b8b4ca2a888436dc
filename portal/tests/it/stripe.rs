//! A stand-in for Stripe on loopback, by its published shapes (API version 2024-06-20, [`shapes`]): it takes the parameters
//! and values that Stripe takes and no others, and keeps the promise of idempotency keys.

mod shapes;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    routing::post,
};
use http::{HeaderMap, StatusCode};
use portal::payments::stripe::sign;
use reqwest::Method;
use serde_json::{Value, json};

use crate::portal::{Answer, TestPortal, send};

pub const KEY: &str = "sk_test_stand_in";
pub const SECRET: &str = "whsec_stand_in";

type Form = BTreeMap<String, String>;

#[derive(Default)]
struct Seen {
    requests: Vec<(String, Form)>,
    by_key: HashMap<String, (Form, Value)>,
    down: bool,
    declines: bool,
}

#[derive(Clone, Default)]
pub struct StandIn(Arc<Mutex<Seen>>);

impl StandIn {
    /// Listen; the answer has the address too.
    pub async fn start() -> (Self, String) {
        let stand_in = Self::default();
        let router = Router::new()
            .route("/v1/checkout/sessions", post(create_session))
            .route("/v1/subscriptions/{id}", post(update_subscription).get(get_subscription))
            .with_state(stand_in.clone());
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (stand_in, url)
    }

    /// Requests so far: path and parameters.
    pub fn requests(&self) -> Vec<(String, Form)> {
        self.0.lock().unwrap().requests.clone()
    }

    /// How many things it has made: requests of one idempotency key make one.
    pub fn sessions(&self) -> usize {
        self.0.lock().unwrap().by_key.len()
    }

    /// Answer with errors from now on, or no longer.
    pub fn set_down(&self, down: bool) {
        self.0.lock().unwrap().down = down;
    }

    /// Decline every charge from now on.
    pub fn decline(&self) {
        self.0.lock().unwrap().declines = true;
    }

    fn take(
        &self,
        path: &str,
        headers: &HeaderMap,
        body: &[u8],
        answer: impl FnOnce(usize) -> Value,
    ) -> Told {
        let text =
            |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        let mut seen = self.0.lock().unwrap();
        if seen.down {
            return error(StatusCode::INTERNAL_SERVER_ERROR, "api_error", "Something is wrong on our side.");
        }
        if text("authorization") != format!("Bearer {KEY}") {
            return error(StatusCode::UNAUTHORIZED, "invalid_request_error", "Invalid API Key provided.");
        }
        if text("content-type") != "application/x-www-form-urlencoded"
            || text("stripe-version") != "2024-06-20"
        {
            return error(
                StatusCode::BAD_REQUEST,
                "invalid_request_error",
                "Not the form this version takes.",
            );
        }
        let form: Form = form_urlencoded::parse(body).into_owned().collect();
        seen.requests.push((path.to_owned(), form.clone()));
        let key = text("idempotency-key");
        if let Some((before, answer)) = seen.by_key.get(&key) {
            if *before != form {
                return error(
                    StatusCode::BAD_REQUEST,
                    "idempotency_error",
                    "Keys are for one set of parameters.",
                );
            }
            return (StatusCode::OK, axum::Json(answer.clone()));
        }
        if seen.declines && form.get("payment_behavior").is_some_and(|b| b == "error_if_incomplete") {
            return error(StatusCode::PAYMENT_REQUIRED, "card_error", "Your card was declined.");
        }
        let answer = answer(seen.by_key.len() + 1);
        seen.by_key.insert(key, (form, answer.clone()));
        (StatusCode::OK, axum::Json(answer))
    }
}

type Told = (StatusCode, axum::Json<Value>);

fn error(status: StatusCode, kind: &str, message: &str) -> Told {
    (status, axum::Json(json!({"error": {"type": kind, "message": message}})))
}

/// Refuse parameters and values that Stripe does not take.
fn check(request: &str, body: &[u8]) -> Result<(), Told> {
    for (name, value) in form_urlencoded::parse(body) {
        shapes::parameter(request, &name, &value)
            .map_err(|message| error(StatusCode::BAD_REQUEST, "invalid_request_error", &message))?;
    }
    Ok(())
}

async fn create_session(State(stand_in): State<StandIn>, headers: HeaderMap, body: Bytes) -> Told {
    let form: Form = form_urlencoded::parse(&body).into_owned().collect();
    if let Err(refused) = check("POST /v1/checkout/sessions", &body) {
        return refused;
    }
    stand_in.take("/v1/checkout/sessions", &headers, &body, |n| {
        json!({
            "id": format!("cs_test_{n}"), "object": "checkout.session", "mode": "subscription", "status": "open",
            "payment_status": "unpaid", "client_reference_id": form["client_reference_id"], "livemode": false,
            "url": format!("https://checkout.stripe.com/c/pay/cs_test_{n}"),
        })
    })
}

async fn get_subscription(Path(id): Path<String>) -> axum::Json<Value> {
    let item = json!({"id": "si_1", "object": "subscription_item", "quantity": 10, "price": {"id": "price_1", "product": "prod_1"}});
    axum::Json(json!({"id": id, "object": "subscription", "items": {"object": "list", "data": [item]}}))
}

async fn update_subscription(
    State(stand_in): State<StandIn>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Told {
    if let Err(refused) = check("POST /v1/subscriptions/{id}", &body) {
        return refused;
    }
    stand_in.take(
        &format!("/v1/subscriptions/{id}"),
        &headers,
        &body,
        |_| json!({"id": id, "object": "subscription", "cancel_at_period_end": true}),
    )
}

/// A portal that takes cards at a stand-in.
pub async fn portal() -> (TestPortal, StandIn) {
    let (stand_in, url) = StandIn::start().await;
    let secrets = tempfile::tempdir().unwrap();
    let (key, webhook) = (secrets.path().join("key"), secrets.path().join("webhook"));
    std::fs::write(&key, format!("{KEY}\n")).unwrap();
    // Two while one is rotated.
    std::fs::write(&webhook, format!("whsec_older\n{SECRET}\n")).unwrap();
    let portal = TestPortal::start_with(|config| {
        config.payments.stripe.secret_key_file = key.display().to_string();
        config.payments.stripe.webhook_secret_file = webhook.display().to_string();
        config.payments.stripe.api_url = url;
    });
    (portal.await, stand_in)
}

/// An event as Stripe sends it.
pub fn event(id: &str, kind: &str, created: i64, object: Value) -> Value {
    json!({
        "id": id, "object": "event", "api_version": "2024-06-20", "created": created, "type": kind, "livemode": false,
        "pending_webhooks": 1, "request": {"id": null, "idempotency_key": null}, "data": {"object": object},
    })
}

/// A paid checkout of a subscription.
pub fn completed(order: &str, invoice: &str, created: i64) -> Value {
    let object = json!({
        "id": "cs_test_1", "object": "checkout.session", "mode": "subscription", "status": "complete",
        "payment_status": "paid", "amount_total": 30_000, "currency": "eur", "client_reference_id": order,
        "metadata": {"order": order}, "customer": "cus_1", "subscription": "sub_1", "invoice": invoice,
        "payment_intent": null,
    });
    event(&format!("evt_completed_{invoice}"), "checkout.session.completed", created, object)
}

/// A paid invoice of it. Its charge and payment intent are named after it.
pub fn invoice_paid(order: &str, invoice: &str, (from, until): (i64, i64)) -> Value {
    let object = json!({
        "id": invoice, "object": "invoice", "billing_reason": "subscription_cycle", "amount_paid": 30_000,
        "currency": "eur", "paid": true, "status": "paid", "customer": "cus_1", "subscription": "sub_1",
        "payment_intent": format!("pi_{invoice}"), "charge": format!("ch_{invoice}"),
        "subscription_details": {"metadata": {"order": order}},
        "lines": {"object": "list", "data": [
            {"id": "il_1", "object": "line_item", "type": "subscription", "period": {"start": from, "end": until}},
        ]},
    });
    event(&format!("evt_paid_{invoice}"), "invoice.paid", from, object)
}

/// Money that went back: it names the charge and the payment intent only.
pub fn refunded(invoice: &str, total: i64, created: i64) -> Value {
    let object = json!({
        "id": format!("ch_{invoice}"), "object": "charge", "amount": 30_000, "amount_refunded": total,
        "payment_intent": format!("pi_{invoice}"), "invoice": null, "refunded": total == 30_000, "metadata": {},
    });
    event(&format!("evt_refund_{invoice}_{total}"), "charge.refunded", created, object)
}

/// A chargeback.
pub fn dispute(invoice: &str, status: &str, created: i64) -> Value {
    let object = json!({
        "id": format!("dp_{invoice}"), "object": "dispute", "status": status, "amount": 30_000,
        "charge": format!("ch_{invoice}"), "payment_intent": format!("pi_{invoice}"), "metadata": {},
    });
    event(&format!("evt_dispute_{invoice}_{status}"), "charge.dispute.updated", created, object)
}

/// Deliver an event with a good signature.
pub async fn deliver(portal: &TestPortal, event: &Value) -> Answer {
    let body = event.to_string();
    let header = sign(body.as_bytes(), SECRET, portal.now().timestamp());
    deliver_signed(portal, body, &header).await
}

/// Deliver any body with any signature.
pub async fn deliver_signed(portal: &TestPortal, body: String, header: &str) -> Answer {
    let request = portal.request(Method::POST, "/webhooks/stripe", "");
    let request = request.header("stripe-signature", header).header("content-type", "application/json");
    send(request.body(body)).await
}
