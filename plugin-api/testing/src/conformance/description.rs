//! Manifest, commands and OpenAPI.

use std::collections::BTreeSet;

use plugin_api::{Manifest, description::Description};
use plugin_sdk::{Exported, export};
use serde_json::{Map, Value};

use super::Route;

const METHODS: [&str; 7] = ["get", "head", "post", "put", "patch", "delete", "options"];

/// The routes, or `None` when there is nothing to go on with.
pub(super) fn check<E: Exported>(wrong: &mut Vec<String>) -> Option<Vec<Route>> {
    let described = export::manifest::<E>().and_then(|m| export::description::<E>().map(|d| (m, d)));
    let (manifest, description) = match described {
        Ok(described) => described,
        Err(e) => {
            wrong.push(e.to_string());
            return None;
        }
    };
    agree(&manifest, &description, E::VERSION, wrong);
    Some(openapi(&manifest, &description.openapi, wrong))
}

fn agree(manifest: &Manifest, description: &Description, version: &str, wrong: &mut Vec<String>) {
    if manifest.version.to_string() != version {
        wrong.push(format!("plugin.toml says version {}, the crate {version}", manifest.version));
    }
    let declared: BTreeSet<&str> = manifest.commands.iter().map(|c| c.name.as_str()).collect();
    let handled: BTreeSet<&str> = description.commands.iter().map(String::as_str).collect();
    for name in declared.symmetric_difference(&handled) {
        wrong.push(format!("the command `{name}` is in the manifest or has a handler, but not both"));
    }
    if !manifest.api.matches(&plugin_api::API_VERSION.parse().expect("our version is one")) {
        wrong.push(format!("`api = {}` does not admit {}", manifest.api, plugin_api::API_VERSION));
    }
}

fn openapi(manifest: &Manifest, document: &Value, wrong: &mut Vec<String>) -> Vec<Route> {
    let mut routes = Vec::new();
    let (mut used, mut ids) = (BTreeSet::new(), BTreeSet::new());
    if !document["openapi"].as_str().is_some_and(|v| v.starts_with("3.")) {
        wrong.push("the OpenAPI document has no version 3".into());
    }
    let empty = Map::new();
    for (path, item) in document["paths"].as_object().unwrap_or(&empty) {
        for method in METHODS {
            let operation = &item[method];
            if operation.is_null() {
                continue;
            }
            let unchecked = operation["x-unchecked"].is_string();
            let route = Route { method: method.to_uppercase(), path: path.clone(), unchecked };
            let name = route.name();
            match operation["x-permission"].as_str() {
                None => wrong.push(format!("{name} has no x-permission")),
                Some(p) if manifest.permissions.iter().all(|known| known.name != p) => {
                    wrong.push(format!("{name}: the manifest does not declare `{p}`"));
                }
                Some(p) => {
                    used.insert(p.to_owned());
                }
            }
            match operation["operationId"].as_str() {
                None => wrong.push(format!("{name} has no operationId")),
                Some(id) if !ids.insert(id.to_owned()) => wrong.push(format!("{name}: `{id}` twice")),
                Some(_) => {}
            }
            if operation["responses"].as_object().is_none_or(serde_json::Map::is_empty) {
                wrong.push(format!("{name} describes no answer"));
            }
            parameters(&route, operation, wrong);
            routes.push(route);
        }
    }
    for permission in &manifest.permissions {
        if !used.contains(&permission.name) {
            wrong.push(format!("no route has the permission `{}`", permission.name));
        }
    }
    for entry in &manifest.export_routes {
        if !routes.iter().any(|route| route.is_export(entry)) {
            wrong.push(format!("export_routes: `{entry}` is no route of the engine"));
        }
    }
    routes
}

fn parameters(route: &Route, operation: &Value, wrong: &mut Vec<String>) {
    let in_path: BTreeSet<String> = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| name.trim_start_matches('*').to_owned())
        .collect();
    let none = Vec::new();
    let described: BTreeSet<String> = operation["parameters"]
        .as_array()
        .unwrap_or(&none)
        .iter()
        .filter(|p| p["in"] == "path")
        .filter_map(|p| p["name"].as_str().map(str::to_owned))
        .collect();
    for name in in_path.symmetric_difference(&described) {
        wrong.push(format!(
            "{}: the parameter `{name}` is in the path or described, but not both",
            route.name()
        ));
    }
}
