//! Checks that an engine keeps the contract; every engine's tests call [`check`].
//!
//! * The manifest is valid and has the crate's version; commands and manifest agree.
//! * Every route that the manifest exports is one of the engine's.
//! * Every route carries an `x-permission` that the manifest declares, and every permission is on a route.
//! * The OpenAPI document is sound: unique operation ids, answers, parameters as in the path.
//! * Migrations are ordered, give the same text every time, and touch the engine's own tables only, on both databases.
//! * On an empty database no GET fails; without permissions nothing is done or told (a route that leaves this to the
//!   host carries `x-unchecked` with the reason); nonsense is answered with 4xx; without a licence every route of
//!   a paid engine answers 402.

mod description;
mod migrations;
mod record;
mod requests;

use plugin_sdk::Exported;

/// Check everything.
///
/// # Panics
/// With the list of everything that is wrong.
pub async fn check<E: Exported>() {
    let wrong = failures::<E>().await;
    record::write::<E>(&wrong);
    assert!(wrong.is_empty(), "the engine does not keep the contract:\n- {}", wrong.join("\n- "));
}

/// Everything that is wrong, a sentence each.
pub async fn failures<E: Exported>() -> Vec<String> {
    let mut wrong = Vec::new();
    let Some(routes) = description::check::<E>(&mut wrong) else { return wrong };
    migrations::check::<E>(&mut wrong);
    if wrong.is_empty() {
        requests::check::<E>(&routes, &mut wrong).await;
    }
    wrong
}

/// A route of the OpenAPI document.
struct Route {
    method: String,
    path: String,
    /// Whether the engine leaves the permission to the host.
    unchecked: bool,
}

impl Route {
    /// A path with every parameter filled with `value`.
    fn fill(&self, value: &str) -> String {
        let part = |part: &str| if part.starts_with('{') { value.to_owned() } else { part.to_owned() };
        self.path.split('/').map(part).collect::<Vec<_>>().join("/")
    }

    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Whether an entry of the manifest's `export_routes` names this route: its path as in the OpenAPI document,
    /// with the method before it or without.
    fn is_export(&self, entry: &str) -> bool {
        match entry.split_once(' ') {
            Some((method, path)) => self.method.eq_ignore_ascii_case(method) && self.path == path,
            None => self.path == entry,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Route;

    #[test]
    fn an_export_route_is_named_by_its_whole_path_and_method() {
        let route = Route { method: "POST".into(), path: "/notes/export".into(), unchecked: false };
        for entry in ["/notes/export", "POST /notes/export", "post /notes/export"] {
            assert!(route.is_export(entry), "{entry}");
        }
        for entry in ["/all/notes/export", "/export", "PUT /notes/export", "POST /all/notes/export", ""] {
            assert!(!route.is_export(entry), "{entry}");
        }
    }
}
