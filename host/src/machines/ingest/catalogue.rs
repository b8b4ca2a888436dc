//! Which lists are stored once for the whole fleet, and how an element is taken apart and put together.

use agent_protocol::items;
use serde_json::{Map, Value};

/// A list whose elements most machines have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::machines) enum Catalogue {
    /// Installed packages.
    Software,
    /// Available updates.
    Updates,
}

/// An element taken apart: what it is for everybody, and what is this machine's own.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Element {
    /// Identifies `body`.
    pub hash: [u8; 16],
    /// What every machine that has it has alike, as JSON.
    pub body: Map<String, Value>,
    /// What is this machine's own, as JSON.
    pub extra: Option<String>,
    /// Where it stands in the list.
    pub key: String,
}

impl Catalogue {
    /// The one that section `name` has.
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "packages" => Some(Self::Software),
            "updates" => Some(Self::Updates),
            _ => None,
        }
    }

    /// The member of the section that holds the list.
    pub fn member(self) -> &'static str {
        match self {
            Self::Software => "packages",
            Self::Updates => "updates",
        }
    }

    /// Table of what there is.
    pub fn entries(self) -> &'static str {
        match self {
            Self::Software => "software",
            Self::Updates => "updates",
        }
    }

    /// Table of who has it.
    pub fn links(self) -> &'static str {
        match self {
            Self::Software => "machine_software",
            Self::Updates => "machine_updates",
        }
    }

    /// Members that differ between machines which have the same.
    fn own(self) -> &'static [&'static str] {
        match self {
            Self::Software => &["key", "held", "state"],
            Self::Updates => &["key", "held", "installed", "phased_percent"],
        }
    }

    /// Give elements of agents that name none their usual key, so that they compare with what is stored.
    pub fn name(self, section: &mut Value) {
        let list = section.get_mut(self.member()).and_then(Value::as_array_mut);
        for element in list.into_iter().flatten() {
            if let Some(element) = element.as_object_mut()
                && !element.contains_key("key")
            {
                element.insert("key".into(), usual_key(element).into());
            }
        }
    }

    /// Take the list out of a section and its elements apart. `None` when it has none that could be stored so.
    pub(super) fn split(self, section: &mut Value) -> Option<Vec<Element>> {
        let list = section.get(self.member())?.as_array()?;
        if !list.iter().all(|e| e["name"].is_string() && e["version"].is_string()) {
            return None;
        }
        let Value::Array(list) = section.as_object_mut()?.remove(self.member())? else { return None };
        let mut elements: Vec<Element> = list
            .into_iter()
            .filter_map(|e| if let Value::Object(e) = e { Some(self.apart(e)) } else { None })
            .collect();
        elements.sort_by(|a, b| a.key.cmp(&b.key));
        Some(elements)
    }

    fn apart(self, mut body: Map<String, Value>) -> Element {
        let usual = usual_key(&body);
        let mut own = Map::new();
        for name in self.own() {
            if let Some(value) = body.remove(*name) {
                own.insert((*name).into(), value);
            }
        }
        let key = own.get("key").and_then(Value::as_str).unwrap_or(&usual).to_owned();
        if key == usual {
            own.remove("key");
        }
        let mut text = Vec::with_capacity(256);
        let body = Value::Object(body);
        items::canonical(&body, &mut text);
        let mut hash = [0; 16];
        hash.copy_from_slice(&items::sha256(&text).bytes()[..16]);
        let Value::Object(body) = body else { unreachable!("it was made an object above") };
        let extra = (!own.is_empty()).then(|| Value::Object(own).to_string());
        Element { hash, body, extra, key }
    }
}

/// The key that the agent gives an element, unless it has the same twice.
fn usual_key(element: &Map<String, Value>) -> String {
    let text = |name: &str| element.get(name).and_then(Value::as_str).unwrap_or_default();
    format!("{}:{}:{}", text("manager"), text("name"), text("arch"))
}

/// An element as its machine said it.
pub(in crate::machines) fn together(body: &str, extra: Option<&str>) -> Value {
    let object = |text: &str| match serde_json::from_str(text) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    };
    let mut element = object(body);
    element.extend(extra.map(object).unwrap_or_default());
    if !element.contains_key("key") {
        element.insert("key".into(), usual_key(&element).into());
    }
    Value::Object(element)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_element_taken_apart_and_put_together_is_the_same() {
        let list = json!([
            {"key": "dpkg:curl:amd64", "name": "curl", "arch": "amd64", "version": "8", "manager": "dpkg", "held": true},
            {"key": "dpkg:curl:i386:7", "name": "curl", "arch": "i386", "version": "7", "manager": "dpkg"},
        ]);
        let mut section = json!({"packages": list, "sources": ["dpkg"]});
        let elements = Catalogue::Software.split(&mut section).expect("packages are software");
        assert_eq!(section, json!({"sources": ["dpkg"]}));
        let again: Vec<Value> = elements
            .iter()
            .map(|e| together(&Value::Object(e.body.clone()).to_string(), e.extra.as_deref()))
            .collect();
        assert_eq!(json!(again), list);
        assert_eq!(elements[0].extra.as_deref(), Some(r#"{"held":true}"#));
    }
}
