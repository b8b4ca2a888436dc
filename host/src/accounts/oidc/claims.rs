//! What a provider says about a person.

use openidconnect::AdditionalClaims;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

const MAX_GROUPS: usize = 1000;

/// Claims besides the standard ones, as they come.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Rest(Map<String, Value>);

impl AdditionalClaims for Rest {}

/// A person at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) issuer: String,
    pub(super) subject: String,
    pub(super) email: Option<String>,
    /// Whether the provider verified the address.
    pub(super) email_verified: bool,
    pub(super) name: Option<String>,
    pub(super) login: Option<String>,
    pub(super) groups: Vec<String>,
}

impl Person {
    /// From the claims of the ID token, and what the provider tells besides; the token wins.
    pub(super) fn of(issuer: String, token: Value, more: Value, groups_claim: &str) -> Option<Self> {
        let get = |name: &str| if token[name].is_null() { more[name].clone() } else { token[name].clone() };
        let text = |name: &str| get(name).as_str().map(String::from).filter(|t| !t.trim().is_empty());
        // An address and the word that it was verified have to come from the same place.
        let source = if token["email"].is_null() { &more } else { &token };
        let groups = match get(groups_claim) {
            Value::Array(items) => {
                items.iter().filter_map(Value::as_str).map(String::from).take(MAX_GROUPS).collect()
            }
            Value::String(one) => vec![one],
            _ => Vec::new(),
        };
        Some(Self {
            issuer,
            subject: token["sub"].as_str().filter(|s| !s.is_empty())?.to_owned(),
            email: text("email"),
            email_verified: source["email_verified"] == true,
            name: text("name"),
            login: text("preferred_username"),
            groups,
        })
    }

    /// Names to log in with that this person may get, the best first.
    pub(super) fn names(&self) -> impl Iterator<Item = String> + use<> {
        let local = self.email.as_deref().and_then(|e| e.split('@').next());
        let wished = self.login.as_deref().or(local).unwrap_or(&self.subject).to_lowercase();
        let allowed = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-@".contains(*c);
        let mut base: String = wished.chars().filter(allowed).take(58).collect();
        if base.len() < 2 {
            base = format!("user-{base}");
        }
        std::iter::once(base.clone()).chain((2..100).map(move |n| format!("{base}-{n}")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Person;

    fn person(token: serde_json::Value, more: serde_json::Value) -> Person {
        Person::of("https://id.example".into(), token, more, "groups").expect("somebody")
    }

    #[test]
    fn an_address_counts_as_verified_only_by_whom_it_is_told() {
        let verified = json!({"email": "a@b.c", "email_verified": true});
        assert!(person(json!({"sub": "1"}), verified.clone()).email_verified);
        let token = json!({"sub": "1", "email": "boss@b.c"});
        assert!(!person(token, verified).email_verified);
        let text = json!({"sub": "1", "email": "a@b.c", "email_verified": "true"});
        assert!(!person(text, json!(null)).email_verified);
    }

    #[test]
    fn groups_come_as_a_list_or_one() {
        assert_eq!(person(json!({"sub": "1", "groups": ["a", 7, "b"]}), json!(null)).groups, ["a", "b"]);
        assert_eq!(person(json!({"sub": "1"}), json!({"groups": "a"})).groups, ["a"]);
    }

    #[test]
    fn a_name_is_made_of_what_names_may_have() {
        let first = |token| person(token, json!(null)).names().take(2).collect::<Vec<_>>();
        assert_eq!(first(json!({"sub": "1", "preferred_username": "Ada Löw"})), ["adalw", "adalw-2"]);
        assert_eq!(first(json!({"sub": "1", "email": "grace@example.org"})), ["grace", "grace-2"]);
        assert_eq!(first(json!({"sub": "Ж"})), ["user-", "user--2"]);
    }
}
