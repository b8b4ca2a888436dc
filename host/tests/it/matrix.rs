//! Every route in the OpenAPI document: without credentials, as each role, with bad input.

use std::fmt::Write;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sysmanage::http::{guard, openapi::Document, router};

use crate::host::{Answer, TestHost, send};

struct Route {
    method: Method,
    template: String,
    permission: Option<String>,
    has_body: bool,
}

/// Routes of the document, in order.
fn routes() -> Vec<Route> {
    let document = Document::of(&router::document()).0;
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
            routes.push(Route {
                method,
                template: path.clone(),
                permission: operation["x-permission"].as_str().map(String::from),
                has_body: operation["requestBody"].is_object(),
            });
        }
    }
    routes.sort_by_key(|r| (r.template.clone(), r.method.to_string()));
    routes
}

impl Route {
    /// The path with things that do not exist.
    fn path(&self) -> String {
        let mut path = String::new();
        for part in self.template.split_inclusive('}') {
            match part.split_once('{') {
                Some((before, _)) => write!(path, "{before}00000000-0000-7000-8000-000000000000").unwrap(),
                None => path.push_str(part),
            }
        }
        path
    }

    async fn call(&self, host: &TestHost, token: &str, body: Option<Vec<u8>>) -> StatusCode {
        self.answer(host, token, body).await.0
    }

    /// The status, and the body unless it streams.
    async fn answer(
        &self,
        host: &TestHost,
        token: &str,
        body: Option<Vec<u8>>,
    ) -> (StatusCode, Option<Answer>) {
        let mut request = host.request(self.method.clone(), &self.path(), token);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        if self.template == "/api/v1/events" {
            return (request.send().await.unwrap().status(), None);
        }
        let answer = send(request).await;
        (answer.status, Some(answer))
    }
}

#[tokio::test]
async fn every_route_asks_who_calls_before_anything_else() {
    let host = TestHost::start().await;
    for route in routes().iter().filter(|r| !guard::PUBLIC.contains(&r.template.as_str())) {
        for token in ["", "smt_made-up", "no-token-at-all"] {
            let status = route.call(&host, token, Some(b"{".to_vec())).await;
            assert_eq!(status, 401, "{} {} with {token:?}", route.method, route.template);
        }
    }
}

#[tokio::test]
async fn every_route_names_its_permission_or_is_listed() {
    let host = TestHost::start().await;
    let known = host.host.app.permissions.names();
    for route in routes() {
        let listed = guard::PUBLIC.contains(&route.template.as_str())
            || guard::ANY_CALLER.contains(&route.template.as_str());
        match &route.permission {
            Some(permission) => assert!(known.contains(permission), "{permission} of {}", route.template),
            None => assert!(listed, "{} {} names no x-permission", route.method, route.template),
        }
    }
}

#[tokio::test]
async fn roles_may_call_what_the_matrix_says() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let mut tokens = vec![("admin", admin.clone())];
    for role in ["operator", "viewer"] {
        tokens.push((role, host.user(&admin, role, &[role]).await));
    }
    let web = json!({"name": "web", "permissions": ["machines:*", "operations:*", "audit:read"], "scope": "tag:web"});
    assert_eq!(host.post("/api/v1/roles", &admin, web).await.status, 201);
    tokens.push(("web", host.user(&admin, "web", &["web"]).await));
    tokens.push(("nothing", host.user(&admin, "nothing", &[]).await));
    let mut matrix = String::new();
    for route in routes() {
        write!(matrix, "{:<7}{:<58}", route.method.as_str(), route.template).unwrap();
        for (role, token) in &tokens {
            // A body that is no JSON: those who may are told so, and nothing happens.
            let body = route.has_body.then(|| b"{".to_vec());
            let harmless = route.has_body || route.method == Method::GET || route.template.contains('{');
            let allowed = match &route.permission {
                Some(permission) if !harmless => {
                    let me = host.get("/api/v1/me", token).await.body;
                    me["permissions"].as_array().unwrap().contains(&json!(permission))
                }
                None if !harmless => true,
                _ => route.call(&host, token, body).await != 403,
            };
            write!(matrix, " {role}:{}", if allowed { "yes" } else { "no " }).unwrap();
        }
        matrix = matrix.trim_end().to_owned() + "\n";
    }
    insta::assert_snapshot!(matrix);
}

#[tokio::test]
async fn bad_input_is_the_clients_fault_on_every_route() {
    let host = TestHost::start().await;
    let admin = host.admin().await;
    let deep = "[".repeat(5000);
    let bodies: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"{".to_vec(),
        b"null".to_vec(),
        b"[]".to_vec(),
        b"{}".to_vec(),
        b"7".to_vec(),
        br#"{"name": 1, "permissions": {}, "ids": "x", "roles": 7, "value": [], "token": null}"#.to_vec(),
        br#"{"name": "\u0000\u202e", "password": "\ud800"}"#.to_vec(),
        b"{\"name\": \"\xc3\x28\"}".to_vec(),
        b"\xff\xfe\x00".to_vec(),
        deep.into_bytes(),
        vec![b'"'; 5 * 1024 * 1024],
    ];
    for route in routes() {
        // These act on the caller's own session, or do real work without a body.
        if !route.has_body && !matches!(route.method, Method::GET) {
            continue;
        }
        for body in &bodies {
            let sent = if route.method == Method::GET { None } else { Some(body.clone()) };
            let (status, answer) = route.answer(&host, &admin, sent).await;
            assert!(!status.is_server_error(), "{} {}: {status}", route.method, route.template);
            if let Some(answer) = answer.filter(|a| a.status.is_client_error()) {
                assert!(
                    answer.body["code"].is_string(),
                    "{} {}: {}",
                    route.method,
                    route.template,
                    answer.body
                );
            }
            if route.method == Method::GET {
                break;
            }
        }
        if route.method == Method::GET && route.template != "/api/v1/events" {
            for query in [
                "?limit=x",
                "?cursor=%00",
                "?limit=18446744073709551615",
                "?q=%28",
                "?since=then",
                "?%ff=%ff",
            ] {
                let answer = host.get(&(route.path() + query), &admin).await;
                assert!(!answer.status.is_server_error(), "{}{query}: {}", route.template, answer.body);
            }
        }
    }
    let _: Value = host.get("/healthz", "").await.body;
}

/// References within a document that lead nowhere.
fn dangling<'a>(document: &Value, value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(map) => {
            if let Some(reference) = map.get("$ref").and_then(Value::as_str)
                && reference.strip_prefix('#').is_none_or(|path| document.pointer(path).is_none())
            {
                found.push(reference);
            }
            map.values().for_each(|inner| dangling(document, inner, found));
        }
        Value::Array(list) => list.iter().for_each(|inner| dangling(document, inner, found)),
        _ => {}
    }
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    let document = Document::of(&router::document()).0;
    let mut found = Vec::new();
    dangling(&document, &document, &mut found);
    assert_eq!(found, [] as [&str; 0]);
}
