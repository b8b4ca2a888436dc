//! Buying: checkout at Stripe, webhooks in any order, the test payment, invoices, trials.

use chrono::Duration;
use portal::payments::stripe::sign;
use serde_json::{Value, json};

use crate::{
    portal::{Customer, TestPortal},
    stripe::{self, completed, deliver, deliver_signed, dispute, event, invoice_paid, refunded},
};

const MONTH: i64 = 30 * 86_400;

async fn order_at(portal: &TestPortal, customer: &Customer, order: &str) -> Value {
    let path = format!("/api/v1/organisations/{}/orders/{order}", customer.org);
    let answer = portal.get(&path, &customer.cookie).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body
}

async fn standing(portal: &TestPortal, customer: &Customer, order: &str) -> String {
    order_at(portal, customer, order).await["standing"].as_str().unwrap().to_owned()
}

/// A customer who ordered, at a portal with Stripe and an engine.
async fn ordered() -> (TestPortal, stripe::StandIn, Customer, String) {
    let (portal, stand_in) = stripe::portal().await;
    portal.publish("shop", "1.0.0", "professional").await;
    let customer = portal.customer("marta").await;
    let order = portal.order(&customer, "professional-month", 10).await;
    (portal, stand_in, customer, order)
}

#[tokio::test]
async fn a_checkout_asks_stripe_for_what_was_ordered_once() {
    let (portal, stand_in, customer, order) = ordered().await;
    let path = format!("/api/v1/organisations/{}/orders/{order}/checkout", customer.org);
    let first = portal.post(&path, &customer.cookie, Value::Null).await;
    assert_eq!(first.body["url"], "https://checkout.stripe.com/c/pay/cs_test_1", "{}", first.text);
    let again = portal.post(&path, &customer.cookie, Value::Null).await;
    assert_eq!(again.body, first.body);
    let other = portal.member(&customer, "otto", "billing").await;
    let others = portal.post(&path, &other, Value::Null).await;
    assert_eq!(others.body, first.body, "whichever member asks: {}", others.text);
    let (_, form) = stand_in.requests().remove(0);
    for (name, value) in [
        ("mode", "subscription"),
        ("client_reference_id", order.as_str()),
        ("subscription_data[metadata][order]", order.as_str()),
        ("line_items[0][quantity]", "10"),
        ("line_items[0][price_data][unit_amount]", "300"),
        ("line_items[0][price_data][currency]", "eur"),
        ("line_items[0][price_data][recurring][interval]", "month"),
    ] {
        assert_eq!(form.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert_eq!(standing(&portal, &customer, &order).await, "pending");
}

#[tokio::test]
async fn a_payment_service_that_is_down_is_told_and_nothing_is_lost() {
    let (portal, stand_in, customer, order) = ordered().await;
    stand_in.set_down(true);
    let path = format!("/api/v1/organisations/{}/orders/{order}/checkout", customer.org);
    portal.post(&path, &customer.cookie, Value::Null).await.problem(502, "payment_service");
    stand_in.set_down(false);
    assert_eq!(portal.post(&path, &customer.cookie, Value::Null).await.status, 200);
}

#[tokio::test]
async fn a_paid_checkout_makes_one_licence_however_often_it_is_told() {
    let (portal, _, customer, order) = ordered().await;
    let now = portal.now().timestamp();
    let paid = completed(&order, "in_1", now);
    assert_eq!(deliver(&portal, &paid).await.body, "applied");
    assert_eq!(deliver(&portal, &paid).await.body, "known");
    assert_eq!(standing(&portal, &customer, &order).await, "active");
    assert_eq!(portal.licenses(&customer).await.len(), 1);
    // The invoice tells the exact period of the same payment.
    assert_eq!(deliver(&portal, &invoice_paid(&order, "in_1", (now, now + MONTH))).await.body, "applied");
    let licenses = portal.licenses(&customer).await;
    assert_eq!(licenses.len(), 1);
    assert_eq!(licenses[0]["editions"][0]["claims"]["exp"], now + MONTH);
    let order = order_at(&portal, &customer, &order).await;
    assert_eq!(order["grant"]["machines"], 10);
}

#[tokio::test]
async fn events_in_every_order_end_alike() {
    // Checkout, first and second month, then the second month goes back: whichever comes first.
    let orders: [[usize; 4]; 6] =
        [[0, 1, 2, 3], [3, 2, 1, 0], [3, 0, 2, 1], [1, 3, 0, 2], [2, 3, 1, 0], [0, 3, 1, 2]];
    for sequence in orders {
        let (portal, _, customer, order) = ordered().await;
        let now = portal.now().timestamp();
        let events = [
            completed(&order, "in_1", now),
            invoice_paid(&order, "in_1", (now, now + MONTH)),
            invoice_paid(&order, "in_2", (now + MONTH, now + 2 * MONTH)),
            refunded("in_2", 30_000, now + MONTH + 5),
        ];
        for n in sequence {
            let told = deliver(&portal, &events[n]).await;
            assert_eq!(told.status, 200, "{}", told.text);
        }
        for event in &events {
            assert_eq!(deliver(&portal, event).await.body, "known", "{sequence:?}");
        }
        let licenses = portal.licenses(&customer).await;
        assert_eq!(licenses.len(), 1, "{sequence:?}");
        let claims = &licenses[0]["editions"][0]["claims"];
        assert_eq!(
            (claims["exp"].as_i64(), claims["grace_days"].as_i64()),
            (Some(now + MONTH), Some(0)),
            "{sequence:?}"
        );
    }
}

#[tokio::test]
async fn a_refund_that_comes_before_its_payment_waits_for_it() {
    let (portal, _, customer, order) = ordered().await;
    let now = portal.now().timestamp();
    assert_eq!(deliver(&portal, &refunded("in_1", 30_000, now + 9)).await.body, "parked");
    assert_eq!(standing(&portal, &customer, &order).await, "pending");
    assert_eq!(deliver(&portal, &invoice_paid(&order, "in_1", (now, now + MONTH))).await.body, "applied");
    assert_eq!(standing(&portal, &customer, &order).await, "refunded");
}

#[tokio::test]
async fn a_refunded_licence_ends_and_a_won_chargeback_brings_one_back() {
    let (portal, _, customer, order) = ordered().await;
    let now = portal.now().timestamp();
    deliver(&portal, &invoice_paid(&order, "in_1", (now, now + MONTH))).await;
    let id = portal.licenses(&customer).await[0]["id"].clone();
    deliver(&portal, &dispute("in_1", "warning_needs_response", now + 1)).await;
    assert_eq!(standing(&portal, &customer, &order).await, "active");
    deliver(&portal, &dispute("in_1", "needs_response", now + 2)).await;
    assert_eq!(standing(&portal, &customer, &order).await, "disputed");
    let ended = portal.licenses(&customer).await[0].clone();
    assert_eq!(ended["editions"][0]["claims"]["exp"], now + 2);
    deliver(&portal, &dispute("in_1", "won", now + 3)).await;
    assert_eq!(standing(&portal, &customer, &order).await, "active");
    let back = portal.licenses(&customer).await[0].clone();
    assert_eq!((&back["id"], back["editions"].as_array().unwrap().len()), (&id, 3));
    assert_eq!(back["editions"][0]["claims"]["exp"], now + MONTH);
}

#[tokio::test]
async fn a_subscription_tells_of_more_machines_and_of_its_end() {
    let (portal, _, customer, order) = ordered().await;
    let now = portal.now().timestamp();
    deliver(&portal, &invoice_paid(&order, "in_1", (now, now + MONTH))).await;
    let object = json!({
        "id": "sub_1", "object": "subscription", "metadata": {"order": order}, "status": "active",
        "current_period_start": now, "current_period_end": now + MONTH, "items": {"data": [{"id": "si_1", "quantity": 25}]},
    });
    let mut more = event("evt_more", "customer.subscription.updated", now, object.clone());
    more["data"]["previous_attributes"] = json!({"quantity": 10});
    assert_eq!(deliver(&portal, &more).await.body, "applied");
    assert_eq!(order_at(&portal, &customer, &order).await["grant"]["machines"], 25);
    assert_eq!(portal.licenses(&customer).await[0]["editions"][0]["claims"]["hosts"], 25);
    deliver(&portal, &event("evt_end", "customer.subscription.deleted", now, object)).await;
    assert_eq!(standing(&portal, &customer, &order).await, "ending");
}

#[tokio::test]
async fn cancelling_tells_stripe_first() {
    let (portal, stand_in, customer, order) = ordered().await;
    let now = portal.now().timestamp();
    deliver(&portal, &invoice_paid(&order, "in_1", (now, now + MONTH))).await;
    let path = format!("/api/v1/organisations/{}/orders/{order}/cancel", customer.org);
    stand_in.set_down(true);
    portal.post(&path, &customer.cookie, Value::Null).await.problem(502, "payment_service");
    assert_eq!(standing(&portal, &customer, &order).await, "active");
    stand_in.set_down(false);
    assert_eq!(portal.post(&path, &customer.cookie, Value::Null).await.body["standing"], "ending");
    let (path, form) = stand_in.requests().pop().unwrap();
    assert_eq!((path.as_str(), form["cancel_at_period_end"].as_str()), ("/v1/subscriptions/sub_1", "true"));
}

async fn change(portal: &TestPortal, customer: &Customer, order: &str, to: Value) -> crate::portal::Answer {
    portal
        .post(&format!("/api/v1/organisations/{}/orders/{order}/change", customer.org), &customer.cookie, to)
        .await
}

#[tokio::test]
async fn more_holds_at_once_and_less_from_the_next_term_on() {
    let (portal, stand_in, customer, order) = ordered().await;
    let now = portal.now().timestamp();
    change(&portal, &customer, &order, json!({"machines": 20})).await.problem(409, "not_changeable");
    deliver(&portal, &invoice_paid(&order, "in_1", (now, now + MONTH))).await;
    let up = change(&portal, &customer, &order, json!({"tier": "enterprise", "machines": 20})).await;
    let grant = &up.body["grant"];
    assert_eq!(
        (grant["tier"].as_str(), grant["machines"].as_u64()),
        (Some("enterprise"), Some(20)),
        "{}",
        up.text
    );
    let (path, form) = stand_in.requests().pop().unwrap();
    assert_eq!(path, "/v1/subscriptions/sub_1");
    for (name, value) in [
        ("items[0][id]", "si_1"),
        ("items[0][quantity]", "20"),
        ("items[0][price_data][product]", "prod_1"),
        ("items[0][price_data][unit_amount]", "700"),
        ("proration_behavior", "always_invoice"),
        ("metadata[tier]", "enterprise"),
        ("payment_behavior", "error_if_incomplete"),
    ] {
        assert_eq!(form[name], value, "{name}");
    }
    let down = change(&portal, &customer, &order, json!({"tier": "professional", "machines": 4})).await;
    assert_eq!(down.body["grant"]["machines"], 20, "{}", down.text);
    assert_eq!(stand_in.requests().pop().unwrap().1["proration_behavior"], "none");
    // Stripe tells of it at once, and means the next period too.
    let object = json!({
        "id": "sub_1", "object": "subscription", "metadata": {"order": order}, "current_period_end": now + MONTH,
        "items": {"data": [{"id": "si_1", "quantity": 4}]},
    });
    let mut fewer = event("evt_fewer", "customer.subscription.updated", now, object);
    fewer["data"]["previous_attributes"] = json!({"quantity": 20});
    deliver(&portal, &fewer).await;
    assert_eq!(order_at(&portal, &customer, &order).await["grant"]["machines"], 20);
    change(&portal, &customer, &order, json!({"tier": "enterprise", "machines": 3})).await;
    let mixed = change(&portal, &customer, &order, json!({"tier": "professional", "machines": 30})).await;
    mixed.problem(422, "invalid");
}

#[tokio::test]
async fn a_change_that_stripe_made_and_the_portal_did_not_live_to_record_is_told_again() {
    let (portal, _, customer, order) = ordered().await;
    let now = portal.now().timestamp();
    deliver(&portal, &invoice_paid(&order, "in_1", (now, now + MONTH))).await;
    let tell = async |id: &str, tier: &str, from: i64| {
        let metadata = json!({"order": order, "tier": tier, "tier_from": from.to_string()});
        let object =
            json!({"id": "sub_1", "object": "subscription", "metadata": metadata, "items": {"data": []}});
        let mut changed = event(id, "customer.subscription.updated", now, object);
        changed["data"]["previous_attributes"] = json!({"metadata": {"tier": null}});
        assert_eq!(deliver(&portal, &changed).await.body, "applied");
        order_at(&portal, &customer, &order).await["grant"]["tier"].as_str().unwrap().to_owned()
    };
    assert_eq!(tell("evt_up", "enterprise", now).await, "enterprise");
    assert_eq!(tell("evt_down", "professional", now + MONTH).await, "enterprise");
    let history = portal
        .get(&format!("/api/v1/organisations/{}/orders/{order}/history", customer.org), &customer.cookie)
        .await;
    assert!(history.text.contains("downgraded"));
}

#[tokio::test]
async fn a_declined_upgrade_changes_nothing() {
    let (portal, stand_in, customer, order) = ordered().await;
    let now = portal.now().timestamp();
    deliver(&portal, &invoice_paid(&order, "in_1", (now, now + MONTH))).await;
    stand_in.decline();
    change(&portal, &customer, &order, json!({"tier": "enterprise"})).await.problem(402, "payment_declined");
    assert_eq!(order_at(&portal, &customer, &order).await["grant"]["tier"], "professional");
    assert_eq!(portal.licenses(&customer).await[0]["editions"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn orders_paid_by_invoice_are_changed_by_the_vendor() {
    let portal = TestPortal::start().await;
    let (customer, staff) = (portal.customer("marta").await, portal.staff("vera").await);
    let order = portal.order(&customer, "professional-month", 5).await;
    portal.post(&format!("/api/v1/vendor/orders/{order}/invoice-paid"), &staff, json!({"number": "7"})).await;
    change(&portal, &customer, &order, json!({"machines": 9})).await.problem(409, "ask_vendor");
}

#[tokio::test]
async fn only_stripe_can_tell_of_payments() {
    let (portal, _, customer, order) = ordered().await;
    let now = portal.now().timestamp();
    let body = completed(&order, "in_1", now).to_string();
    for (header, code) in [
        (String::new(), "malformed_signature"),
        (sign(body.as_bytes(), "whsec_other", now), "wrong_signature"),
        (sign(b"{}", stripe::SECRET, now), "wrong_signature"),
        (sign(body.as_bytes(), stripe::SECRET, now - 400), "stale_signature"),
    ] {
        deliver_signed(&portal, body.clone(), &header).await.problem(400, code);
    }
    let rotated = sign(body.as_bytes(), "whsec_older", now);
    assert_eq!(standing(&portal, &customer, &order).await, "pending");
    assert_eq!(deliver_signed(&portal, body, &rotated).await.body, "applied");
}

#[tokio::test]
async fn events_that_are_not_ours_change_nothing() {
    let (portal, _, customer, order) = ordered().await;
    let now = portal.now().timestamp();
    assert_eq!(deliver(&portal, &event("evt_x", "customer.created", now, json!({}))).await.body, "ignored");
    let other = "00000000-0000-4000-8000-000000000000";
    assert_eq!(deliver(&portal, &completed(other, "in_9", now)).await.body, "ignored");
    let no_event = json!({"id": "x"}).to_string();
    let header = sign(no_event.as_bytes(), stripe::SECRET, now);
    deliver_signed(&portal, no_event, &header).await.problem(400, "malformed_event");
    assert_eq!(standing(&portal, &customer, &order).await, "pending");
}

#[tokio::test]
async fn the_same_event_twenty_times_at_once_is_one() {
    let (portal, _, customer, order) = ordered().await;
    let paid = invoice_paid(&order, "in_1", (portal.now().timestamp(), portal.now().timestamp() + MONTH));
    let all = (0..20).map(|_| deliver(&portal, &paid));
    let told = futures_util::future::join_all(all).await;
    assert_eq!(told.iter().filter(|a| a.body == "applied").count(), 1);
    assert!(told.iter().all(|a| a.status == 200));
    assert_eq!(portal.licenses(&customer).await[0]["editions"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_test_payment_pays_an_order_once() {
    let portal = TestPortal::start().await;
    portal.publish("shop", "1.0.0", "professional").await;
    let customer = portal.customer("marta").await;
    let order = portal.buy(&customer, "professional-year", 5).await;
    assert_eq!(standing(&portal, &customer, &order).await, "active");
    let path = format!("/api/v1/organisations/{}/orders/{order}/test-payment", customer.org);
    portal.post(&path, &customer.cookie, Value::Null).await.problem(409, "nothing_to_pay");
    assert_eq!(portal.licenses(&customer).await.len(), 1);
}

#[tokio::test]
async fn test_payments_and_cards_are_offered_only_where_they_are_set_up() {
    let portal = TestPortal::start_with(|config| config.payments.test = false).await;
    let customer = portal.customer("marta").await;
    let order = portal.order(&customer, "professional-year", 5).await;
    let path = format!("/api/v1/organisations/{}/orders/{order}", customer.org);
    let test = portal.post(&format!("{path}/test-payment"), &customer.cookie, Value::Null).await;
    test.problem(404, "no_test_payments");
    portal
        .post(&format!("{path}/checkout"), &customer.cookie, Value::Null)
        .await
        .problem(404, "no_card_payments");
    deliver(&portal, &completed(&order, "in_1", 0)).await.problem(404, "no_card_payments");
}

#[tokio::test]
async fn an_invoice_pays_one_interval_after_what_is_paid_and_its_number_counts_once() {
    let portal = TestPortal::start().await;
    portal.publish("shop", "1.0.0", "professional").await;
    let (customer, staff) = (portal.customer("marta").await, portal.staff("vera").await);
    let order = portal.order(&customer, "professional-month", 5).await;
    let path = format!("/api/v1/vendor/orders/{order}/invoice-paid");
    let pay = async |number: &str| portal.post(&path, &staff, json!({"number": number})).await;
    let first = pay("2026-1").await.body["grant"]["until"].clone();
    assert_eq!(pay("2026-1").await.body["grant"]["until"], first);
    let second = pay("2026-2").await.body["grant"]["until"].clone();
    let months = |value: &Value| value.as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    assert_eq!(months(&second), portal::catalogue::Interval::Month.after(months(&first)));
}

#[tokio::test]
async fn one_payment_never_pays_two_orders() {
    let (portal, _, customer, first) = ordered().await;
    let staff = portal.staff("vera").await;
    let second = portal.order(&customer, "professional-month", 10).await;
    let pay = async |order: &str| {
        let path = format!("/api/v1/vendor/orders/{order}/invoice-paid");
        portal.post(&path, &staff, json!({"number": "2026-1"})).await
    };
    assert_eq!(pay(&first).await.status, 200);
    pay(&second).await.problem(409, "paid_elsewhere");
    // Nor where Stripe says so, whatever an event claims in its metadata.
    let now = portal.now().timestamp();
    assert_eq!(deliver(&portal, &completed(&first, "in_1", now)).await.body, "applied");
    assert_eq!(deliver(&portal, &invoice_paid(&second, "in_1", (now, now + MONTH))).await.body, "ignored");
    assert_eq!(standing(&portal, &customer, &second).await, "pending");
    assert_eq!(portal.licenses(&customer).await.len(), 1);
}

#[tokio::test]
async fn a_trial_is_had_once() {
    let portal = TestPortal::start().await;
    portal.publish("shop", "1.0.0", "professional").await;
    let customer = portal.customer("marta").await;
    let path = format!("/api/v1/organisations/{}/trial", customer.org);
    let begun = portal.post(&path, &customer.cookie, json!({"plan": "professional-year"})).await;
    assert_eq!(
        (begun.status.as_u16(), begun.body["standing"].as_str()),
        (201, Some("trial")),
        "{}",
        begun.text
    );
    portal.post(&path, &customer.cookie, json!({"plan": "enterprise-year"})).await.problem(409, "trial_used");
    let claims = portal.licenses(&customer).await[0]["editions"][0]["claims"].clone();
    assert_eq!((claims["trial"].as_bool(), claims.get("support_until")), (Some(true), None));
    portal.clock.advance(Duration::days(31));
    let again = portal
        .post(
            "/api/v1/session",
            "",
            json!({"email": "marta@example.org", "password": crate::portal::PASSWORD}),
        )
        .await;
    let customer = Customer { cookie: again.cookie(), ..customer };
    let order = begun.body["id"].as_str().unwrap();
    assert_eq!(standing(&portal, &customer, order).await, "expired");
}

#[tokio::test]
async fn orders_that_make_no_sense_are_refused() {
    let portal = TestPortal::start().await;
    let customer = portal.customer("marta").await;
    let path = format!("/api/v1/organisations/{}/orders", customer.org);
    for (plan, machines, status, code) in [
        ("professional-year", 0, 422, "invalid"),
        ("professional-year", 100_001, 422, "invalid"),
        ("gold", 1, 404, "not_found"),
    ] {
        let body = json!({"plan": plan, "machines": machines});
        portal.post(&path, &customer.cookie, body).await.problem(status, code);
    }
    for _ in 0..10 {
        portal.order(&customer, "professional-year", 1).await;
    }
    let body = json!({"plan": "professional-year", "machines": 1});
    portal.post(&path, &customer.cookie, body).await.problem(409, "too_many_pending");
}

#[tokio::test]
async fn an_order_of_another_organisation_is_not_there() {
    let portal = TestPortal::start().await;
    let (marta, other) = (portal.customer("marta").await, portal.customer("other").await);
    let order = portal.order(&marta, "professional-year", 1).await;
    for action in ["", "/history"] {
        let path = format!("/api/v1/organisations/{}/orders/{order}{action}", other.org);
        portal.get(&path, &other.cookie).await.problem(404, "not_found");
    }
    for (action, body) in
        [("cancel", Value::Null), ("test-payment", Value::Null), ("transfer", json!({"instance": null}))]
    {
        let path = format!("/api/v1/organisations/{}/orders/{order}/{action}", other.org);
        portal.post(&path, &other.cookie, body).await.problem(404, "not_found");
    }
    assert_eq!(standing(&portal, &marta, &order).await, "pending");
}
