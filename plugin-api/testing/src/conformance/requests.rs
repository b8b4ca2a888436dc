//! Requests to every route.

use plugin_sdk::Exported;
use serde_json::json;

use super::Route;
use crate::{Body, Client, TestEngine, TestLicense};

const NOBODY: &str = "00000000-0000-7000-8000-00000000ffff";

pub(super) async fn check<E: Exported>(routes: &[Route], wrong: &mut Vec<String>) {
    let engine = match TestEngine::<E>::builder().try_start().await {
        Ok(engine) => engine,
        Err(e) => {
            wrong.push(format!("the engine does not start: {e}"));
            return;
        }
    };
    for route in routes {
        let client = engine.client();
        never_fails(&client, route, wrong).await;
        if !route.unchecked {
            needs_permission(&client.with_permissions(&[]), route, wrong).await;
        }
    }
    if engine.manifest().entitlement.is_some() {
        locked(&engine, routes, wrong).await;
    }
}

fn is_get(route: &Route) -> bool {
    route.method == "GET"
}

async fn never_fails(client: &Client, route: &Route, wrong: &mut Vec<String>) {
    for value in [NOBODY, "1", "%00", "%F0%9F%98%80", "'%20OR%201=1--"] {
        let bodies = [
            Body::Empty,
            Body::Json(json!({ "unknown": [1, null] })),
            Body::Bytes("application/json", b"{\"a\":".to_vec()),
            Body::Bytes("application/octet-stream", vec![0xff, 0x00]),
        ];
        for body in bodies {
            let empty = matches!(body, Body::Empty);
            if is_get(route) && !empty {
                continue;
            }
            let answer = client.send(&route.method, &route.fill(value), body).await;
            if answer.status >= 500 {
                let (name, text) = (route.name(), answer.text());
                wrong.push(format!("{name} with `{value}` answers {}: {text}", answer.status));
            }
        }
    }
    if is_get(route) {
        for query in
            ["limit=-1", "limit=999999999999", "after=%00", "cursor=nonsense", "q=%27%22%3b", "offset=x"]
        {
            let answer = client.get(&format!("{}?{query}", route.fill(NOBODY))).await;
            if answer.status >= 500 {
                wrong.push(format!("{} with `?{query}` answers {}", route.name(), answer.status));
            }
        }
    }
}

async fn needs_permission(nobody: &Client, route: &Route, wrong: &mut Vec<String>) {
    let answer = nobody.send(&route.method, &route.fill(NOBODY), Body::Empty).await;
    if answer.status < 400 {
        wrong.push(format!("{} answers {} without any permission", route.name(), answer.status));
    }
}

async fn locked<E: Exported>(engine: &TestEngine<E>, routes: &[Route], wrong: &mut Vec<String>) {
    for (license, everything) in [(TestLicense::OtherEngine, true), (TestLicense::Lapsed, false)] {
        if let Err(e) = engine.set_license(license).await {
            wrong.push(format!("a change of the licence is refused: {e}"));
            continue;
        }
        for route in routes {
            let exports = engine.manifest().export_routes.iter().any(|e| route.is_export(e));
            let refused = everything || !(is_get(route) || exports);
            let answer = engine.client().send(&route.method, &route.fill(NOBODY), Body::Empty).await;
            if refused != (answer.status == 402) {
                wrong.push(format!("{} answers {} with {license:?}", route.name(), answer.status));
            }
        }
    }
}
