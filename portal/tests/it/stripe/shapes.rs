//! Stripe's own description of what is sent to it and what it tells, trimmed to what the portal uses: made by `describe.mjs`
//! from the types of the official library for this API version, which Stripe generates from its OpenAPI document.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Described {
    about: About,
    shapes: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

#[derive(Deserialize)]
struct About {
    api_version: String,
}

static DESCRIBED: LazyLock<Described> =
    LazyLock::new(|| serde_json::from_str(include_str!("api-2024-06-20.json")).unwrap());

fn kinds(shape: &str, path: &str) -> Option<&'static [String]> {
    let shape = DESCRIBED.shapes.get(shape).unwrap_or_else(|| panic!("{shape} is not described"));
    shape.get(path).map(Vec::as_slice)
}

fn takes(kinds: &[String], kind: &str) -> bool {
    kinds.iter().any(|known| known == kind)
}

/// Whether a parameter of a request is one that Stripe takes, with a value that it takes.
pub fn parameter(request: &str, name: &str, value: &str) -> Result<(), String> {
    let path = path_of(name);
    let mut prefix = path.as_str();
    while let Some((before, _)) = prefix.rsplit_once('.') {
        // Keys of a map are the caller's.
        if kinds(request, before).is_some_and(|kinds| takes(kinds, "map")) {
            return Ok(());
        }
        prefix = before;
    }
    let kinds = kinds(request, &path).ok_or_else(|| format!("Received unknown parameter: {name}"))?;
    let fits = kinds.iter().any(|kind| match kind.as_str() {
        "string" => true,
        "number" => value.parse::<i64>().is_ok(),
        "boolean" => value == "true" || value == "false",
        literal => literal.trim_matches('"') == value && literal.starts_with('"'),
    });
    if fits { Ok(()) } else { Err(format!("Invalid {name}: {value} is none of {kinds:?}")) }
}

/// `line_items[0][price_data]` is `line_items[].price_data`.
fn path_of(name: &str) -> String {
    let mut parts = name.split('[').map(|part| part.trim_end_matches(']'));
    let mut path = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        if part.bytes().all(|b| b.is_ascii_digit()) {
            path += "[]";
        } else {
            path += &format!(".{part}");
        }
    }
    path
}

/// What of an object is not as Stripe describes it.
pub fn odd(object: &Value) -> Vec<String> {
    let mut odd = Vec::new();
    let shape = object["object"].as_str().unwrap();
    for (name, value) in object.as_object().unwrap() {
        look(shape, name, value, &mut odd);
    }
    odd
}

fn look(shape: &str, path: &str, value: &Value, odd: &mut Vec<String>) {
    let Some(kinds) = kinds(shape, path) else {
        odd.push(format!("{shape} has no {path}"));
        return;
    };
    let fits = match value {
        Value::Null => takes(kinds, "null"),
        Value::Bool(_) => takes(kinds, "boolean"),
        Value::Number(_) => takes(kinds, "number"),
        Value::String(text) => takes(kinds, "string") || takes(kinds, &format!("\"{text}\"")),
        Value::Array(items) => {
            items.iter().for_each(|item| look(shape, &format!("{path}[]"), item, odd));
            takes(kinds, "array")
        }
        Value::Object(_) if takes(kinds, "map") => true,
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| look(shape, &format!("{path}.{name}"), value, odd));
            takes(kinds, "object")
        }
    };
    if !fits {
        odd.push(format!("{shape}.{path} is {value}, and takes {kinds:?}"));
    }
}

#[test]
fn the_description_is_of_the_version_that_the_portal_speaks() {
    assert_eq!(DESCRIBED.about.api_version, portal::payments::stripe::API_VERSION);
}

#[test]
fn what_stripe_does_not_take_is_told() {
    let take = |name, value| parameter("POST /v1/checkout/sessions", name, value);
    assert_eq!(take("mode", "subscription"), Ok(()));
    assert_eq!(take("metadata[anything]", "x"), Ok(()));
    assert_eq!(take("line_items[0][price_data][recurring][interval]", "month"), Ok(()));
    for (name, value) in [
        ("mode", "rent"),
        ("line_items[0][quantity]", "many"),
        ("line_items[0][price_data][recurring][interval]", "fortnight"),
        ("line_items[0][price_data][amount]", "1"),
        ("order", "1"),
        ("subscription_data[order]", "1"),
    ] {
        assert!(take(name, value).is_err(), "{name}={value}");
    }
}

#[test]
fn the_events_of_these_tests_are_as_stripe_describes_them() {
    use super::{completed, dispute, invoice_paid, refunded};
    let order = "01900000-0000-7000-8000-000000000000";
    let events = [
        completed(order, "in_1", 1),
        invoice_paid(order, "in_1", (1, 2)),
        refunded("in_1", 30_000, 1),
        dispute("in_1", "needs_response", 1),
        dispute("in_1", "won", 1),
        dispute("in_1", "lost", 1),
    ];
    for event in events {
        assert_eq!(odd(&event["data"]["object"]), Vec::<String>::new(), "{}", event["type"]);
    }
    let mut wrong = completed(order, "in_1", 1)["data"]["object"].clone();
    wrong["payment_status"] = "settled".into();
    wrong["order"] = order.into();
    assert_eq!(odd(&wrong).len(), 2);
}
