//! `/api/v1/openapi.json`: the API, from the routes themselves. What a route takes is told where the route is added
//! ([`super::Routes::takes`]), so that the document cannot forget one.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{Method, header};
use serde_json::{Map, Value, json};

use super::{
    Access, Routes,
    routes::{RouteInfo, Shape},
};
use crate::app::App;

/// The route.
pub(super) fn routes(routes: Routes) -> Routes {
    routes.on(Method::GET, "/api/v1/openapi.json", Access::Public, openapi)
}

async fn openapi(State(app): State<Arc<App>>) -> Response {
    // The routes are the program's: the same for every portal of this build.
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| document(&super::declared(&app)).to_string());
    ([(header::CONTENT_TYPE, "application/json")], text.as_str()).into_response()
}

/// The document of these routes; pages and pictures are not part of the API.
pub fn document(routes: &[RouteInfo]) -> Value {
    let (mut paths, mut schemas) = (Map::new(), BTreeMap::new());
    for route in routes.iter().filter(|route| is_api(route.path)) {
        for shape in [&route.takes, &route.answers].into_iter().flatten() {
            schemas.extend(shape.schemas());
        }
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_lowercase()] = operation(route);
    }
    schemas.insert("Problem".into(), problem());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "SysManage portal",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Customers, orders, licences and engines. Errors are RFC 9457 problems with a stable `code`.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "session": {
                    "type": "apiKey", "in": "cookie", "name": "__Host-session",
                    "description": "A browser's session; `session` without TLS. Requests that change something come from the same origin.",
                },
                "token": {"type": "http", "scheme": "bearer", "description": "An API token of one organisation, `spt_...`."},
                "host": {
                    "type": "apiKey", "in": "header", "name": "Authorization",
                    "description": "`SysManage-Host ...`: the host's instance key signs the request and names a licence.",
                },
            },
        },
    })
}

/// Whether a path is in the document.
pub fn is_api(path: &str) -> bool {
    path.starts_with("/api/") || path.starts_with("/webhooks/")
}

fn operation(route: &RouteInfo) -> Value {
    let mut operation = json!({
        "operationId": operation_id(route),
        "tags": [slice(route)],
        "parameters": parameters(route.path),
        "responses": {
            "2XX": {"description": "It is done."},
            "default": {
                "description": "It is not.",
                "content": {"application/problem+json": {"schema": reference("Problem")}},
            },
        },
        "security": security(route.access),
    });
    if let Some(shape) = &route.answers {
        operation["responses"]["2XX"]["content"] = json!({"application/json": {"schema": shape.reference()}});
    }
    if let Some(shape) = &route.takes {
        operation["requestBody"] =
            json!({"required": true, "content": {"application/json": {"schema": shape.reference()}}});
    }
    if let Access::Member(permission) = route.access {
        operation["x-permission"] = permission.name().into();
    }
    operation
}

/// `portal::orders::routes::list`, for the vendor: `orders_vendor_list`.
fn operation_id(route: &RouteInfo) -> String {
    let name = route.handler.rsplit("::").next().unwrap_or_default();
    let vendor = if route.path.starts_with("/api/v1/vendor/") { "vendor_" } else { "" };
    format!("{}_{vendor}{name}", slice(route))
}

fn slice(route: &RouteInfo) -> &str {
    route.handler.split("::").nth(1).unwrap_or("portal")
}

fn parameters(path: &str) -> Vec<Value> {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect()
}

fn security(access: Access) -> Value {
    match access {
        Access::Public => json!([]),
        Access::SignedIn | Access::Member(_) => json!([{"session": []}, {"token": []}]),
        Access::Staff => json!([{"session": []}]),
        Access::Host => json!([{"host": []}]),
        Access::Download => json!([{"session": []}, {"token": []}, {"host": []}]),
    }
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn problem() -> Value {
    json!({
        "type": "object",
        "required": ["type", "title", "status", "detail", "code", "request_id"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "What is wrong and what to do."},
            "code": {"type": "string", "description": "Stable, snake_case."},
            "request_id": {"type": "string"},
        },
    })
}

impl Shape {
    fn reference(&self) -> Value {
        if self.list {
            let items = json!({"type": "array", "items": reference(&self.name)});
            return json!({"type": "object", "required": ["items"], "properties": {"items": items}});
        }
        reference(&self.name)
    }

    fn schemas(&self) -> impl Iterator<Item = (String, Value)> {
        let mut all = Vec::new();
        (self.collect)(&mut all);
        all.into_iter().map(|(name, schema)| (name, serde_json::to_value(schema).unwrap_or_default()))
    }
}
