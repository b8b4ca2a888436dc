//! The API's document says every route, who may use it, and what it takes.

use std::collections::BTreeSet;

use portal::http::{Access, declared, openapi::is_api};
use serde_json::Value;

use crate::portal::TestPortal;

#[tokio::test]
async fn every_route_of_the_api_is_in_the_document_and_nothing_else() {
    let portal = TestPortal::start().await;
    let document = portal.get("/api/v1/openapi.json", "").await.body;
    assert_eq!(document["openapi"], "3.1.0");
    let mut told = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            told.insert(format!("{} {path}", method.to_uppercase()));
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} twice");
            let named: Vec<&str> = operation["parameters"]
                .as_array()
                .unwrap()
                .iter()
                .map(|p| p["name"].as_str().unwrap())
                .collect();
            assert_eq!(named.len(), path.matches('{').count(), "{path}");
        }
    }
    let routes = declared(&portal.portal.app);
    let there: BTreeSet<String> = routes
        .iter()
        .filter(|route| is_api(route.path))
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    assert_eq!(told, there);
    for route in routes.iter().filter(|route| is_api(route.path)) {
        let operation = &document["paths"][route.path][route.method.as_str().to_lowercase()];
        let open = operation["security"].as_array().unwrap().is_empty();
        assert_eq!(open, route.access == Access::Public, "{}", route.path);
    }
}

#[tokio::test]
async fn every_json_body_is_described_and_every_reference_leads_somewhere() {
    let portal = TestPortal::start().await;
    for route in declared(&portal.portal.app).iter().filter(|route| is_api(route.path)) {
        // The type that the handler is given is the type that the document names.
        let given =
            route.given.split("extract::Json<").nth(1).map(|rest| rest.split(['>', '<']).next().unwrap());
        let given = given.map(|name| name.rsplit("::").next().unwrap());
        let told = route.takes.as_ref().map(|shape| shape.name.as_str());
        assert_eq!(told, given, "{} {}", route.method, route.path);
    }
    let document = portal.get("/api/v1/openapi.json", "").await.body;
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 60, "{}", references.len());
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

fn collect(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            into.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| collect(member, into));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
        _ => {}
    }
}
