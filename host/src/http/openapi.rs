//! `/api/openapi.json`: the host's own document, with the running engines' parts merged in.

use std::sync::Arc;

use axum::extract::State;
use serde_json::Value;
use utoipa::openapi::OpenApi;

use super::Json;
use crate::app::App;

/// The document of the host's own routes.
#[derive(Debug, Clone)]
pub struct Document(pub Arc<Value>);

impl Document {
    /// Finish the assembled document.
    pub fn of(api: &OpenApi) -> Self {
        let mut document = serde_json::to_value(api).unwrap_or_default();
        document["info"] = serde_json::json!({
            "title": "SysManage",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
        });
        document["components"]["securitySchemes"] = serde_json::json!({
            "token": {"type": "http", "scheme": "bearer"},
            "session": {"type": "apiKey", "in": "cookie", "name": "__Host-session"},
        });
        document["security"] = serde_json::json!([{"token": []}, {"session": []}]);
        Self(Arc::new(document))
    }

    /// The document with further `parts`: each a whole OpenAPI document whose paths are already absolute.
    pub fn merged(&self, parts: impl IntoIterator<Item = Value>) -> Value {
        let mut document = Value::clone(&self.0);
        for part in parts {
            merge(&mut document["paths"], &part["paths"]);
            for kind in ["schemas", "parameters", "responses"] {
                if part["components"][kind].is_object() {
                    merge(&mut document["components"][kind], &part["components"][kind]);
                }
            }
        }
        document
    }
}

/// Add members that are not there yet; the host's own win.
fn merge(into: &mut Value, from: &Value) {
    if into.is_null() {
        *into = Value::Object(Default::default());
    }
    let (Some(into), Some(from)) = (into.as_object_mut(), from.as_object()) else { return };
    for (key, value) in from {
        into.entry(key.clone()).or_insert_with(|| value.clone());
    }
}

pub(super) async fn get(
    State(app): State<Arc<App>>,
    axum::Extension(document): axum::Extension<Document>,
) -> Json<Value> {
    Json(document.merged(app.engines.openapi_parts()))
}
