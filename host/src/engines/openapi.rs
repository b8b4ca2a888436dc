//! An engine's OpenAPI document: which routes it has, what they need, and its part of the host's document.

use std::collections::BTreeMap;

use http::Method;
use matchit::Router;
use serde_json::{Map, Value};

const METHODS: [&str; 7] = ["get", "put", "post", "delete", "patch", "head", "options"];

/// Routes by path.
#[derive(Debug, Default)]
pub(super) struct Routes {
    router: Router<Vec<(Method, String)>>,
    /// Methods that export, by path; none named means any.
    exports: Router<Vec<Method>>,
    count: usize,
}

/// What a path and method lead to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// A route, and the permission it needs; empty for any caller.
    Route(&'a str),
    /// The path is there, not with this method.
    OtherMethod,
    /// No such path.
    Nothing,
}

/// A route without `x-permission` needs this: an author's slip must not open a door.
const UNSAID: &str = "engines:manage";

impl Routes {
    /// Read a document and the manifest's export routes.
    ///
    /// # Errors
    /// When two paths collide or a pattern is malformed.
    pub fn read(openapi: &Value, exports: &[String]) -> Result<Self, String> {
        let mut routes = Self::default();
        for (path, item) in openapi["paths"].as_object().into_iter().flatten() {
            let mut methods = Vec::new();
            for name in METHODS {
                let operation = &item[name];
                if operation.is_object() {
                    let permission = operation["x-permission"].as_str().unwrap_or(UNSAID);
                    let method =
                        Method::from_bytes(name.to_uppercase().as_bytes()).map_err(|e| e.to_string())?;
                    methods.push((method, permission.to_owned()));
                }
            }
            routes.count += methods.len();
            routes.router.insert(path.clone(), methods).map_err(|e| format!("the route `{path}`: {e}"))?;
        }
        for (path, methods) in by_path(exports)? {
            routes
                .exports
                .insert(path.clone(), methods)
                .map_err(|e| format!("the export route `{path}`: {e}"))?;
        }
        Ok(routes)
    }

    /// Look a call up. HEAD is GET.
    pub fn find(&self, method: &Method, path: &str) -> Found<'_> {
        let Ok(matched) = self.router.at(path) else { return Found::Nothing };
        let wanted = if method == Method::HEAD { &Method::GET } else { method };
        match matched.value.iter().find(|(m, _)| m == method || m == wanted) {
            Some((_, permission)) => Found::Route(permission),
            None => Found::OtherMethod,
        }
    }

    /// Whether a call only reads, by method or because the manifest says that it exports.
    pub fn reads(&self, method: &Method, path: &str) -> bool {
        matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
            || self.exports.at(path).is_ok_and(|found| found.value.is_empty() || found.value.contains(method))
    }

    /// Number of operations.
    pub fn count(&self) -> usize {
        self.count
    }
}

/// Export routes, `/notes/export` or `POST /notes/export`, with all methods that are named for each path.
fn by_path(exports: &[String]) -> Result<BTreeMap<String, Vec<Method>>, String> {
    let mut found = BTreeMap::<String, Option<Vec<Method>>>::new();
    for route in exports {
        match route.split_once(' ') {
            None => _ = found.insert(route.clone(), None),
            Some((method, path)) => {
                let method = Method::from_bytes(method.to_uppercase().as_bytes())
                    .map_err(|_| format!("the export route `{route}`: no such method"))?;
                if let Some(methods) = found.entry(path.to_owned()).or_insert_with(|| Some(Vec::new())) {
                    methods.push(method);
                }
            }
        }
    }
    Ok(found.into_iter().map(|(path, methods)| (path, methods.unwrap_or_default())).collect())
}

/// The document with absolute paths, and schema names that begin with the engine's id.
pub(super) fn absolute(engine: &str, document: &Value) -> Value {
    let mut part = document.clone();
    rename_refs(&mut part, engine);
    let paths = part["paths"].as_object().cloned().unwrap_or_default();
    let paths: Map<String, Value> = paths
        .into_iter()
        .map(|(path, item)| {
            let path = format!("/api/v1/engines/{engine}{}", if path == "/" { "" } else { path.as_str() });
            (path, item)
        })
        .collect();
    part["paths"] = Value::Object(paths);
    for kind in ["schemas", "parameters", "responses"] {
        let Some(named) = part["components"][kind].as_object().cloned() else { continue };
        let named = named.into_iter().map(|(name, v)| (format!("{engine}.{name}"), v)).collect();
        part["components"][kind] = Value::Object(named);
    }
    part
}

fn rename_refs(value: &mut Value, engine: &str) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(target)) = map.get_mut("$ref")
                && let Some((head, name)) = target.rsplit_once('/')
                && head.starts_with("#/components/")
            {
                *target = format!("{head}/{engine}.{name}");
            }
            map.values_mut().for_each(|v| rename_refs(v, engine));
        }
        Value::Array(items) => items.iter_mut().for_each(|v| rename_refs(v, engine)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn routes() -> Routes {
        let document = json!({"paths": {
            "/scripts": {"get": {"x-permission": "a:read"}, "post": {"x-permission": "a:write"}},
            "/scripts/{id}": {"delete": {}},
            "/export": {"post": {"x-permission": "a:read"}},
        }});
        Routes::read(&document, &["POST /export".into()]).expect("the document is good")
    }

    #[test]
    fn a_route_says_its_permission() {
        assert_eq!(routes().find(&Method::GET, "/scripts"), Found::Route("a:read"));
        assert_eq!(routes().find(&Method::HEAD, "/scripts"), Found::Route("a:read"));
        assert_eq!(routes().find(&Method::PUT, "/scripts"), Found::OtherMethod);
        assert_eq!(routes().find(&Method::GET, "/nothing"), Found::Nothing);
    }

    #[test]
    fn a_route_that_says_nothing_is_for_administrators() {
        assert_eq!(routes().find(&Method::DELETE, "/scripts/1"), Found::Route(UNSAID));
    }

    #[test]
    fn an_export_reads_although_it_is_a_post() {
        assert!(routes().reads(&Method::POST, "/export"));
        assert!(!routes().reads(&Method::POST, "/scripts"));
        assert!(!routes().reads(&Method::DELETE, "/export"), "another method of the same path does not");
    }

    #[test]
    fn an_export_without_method_reads_with_any_and_two_methods_share_a_path() {
        let exports = ["/all".into(), "POST /some".into(), "PUT /some".into()];
        let routes = Routes::read(&json!({}), &exports).expect("the routes are good");
        assert!(routes.reads(&Method::POST, "/all") && routes.reads(&Method::PUT, "/some"));
        assert!(!routes.reads(&Method::DELETE, "/some"));
    }

    #[test]
    fn the_merged_part_has_absolute_paths_and_own_schema_names() {
        let part = absolute(
            "foo",
            &json!({
                "paths": {"/a": {"get": {"schema": {"$ref": "#/components/schemas/Item"}}}},
                "components": {"schemas": {"Item": {"type": "object"}}},
            }),
        );
        assert!(part["paths"]["/api/v1/engines/foo/a"].is_object());
        assert!(part["components"]["schemas"]["foo.Item"].is_object());
        assert!(part.to_string().contains("#/components/schemas/foo.Item"));
    }
}
