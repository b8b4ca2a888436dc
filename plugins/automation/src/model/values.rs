//! Values of parameters: checked against the declarations, turned into text once, never pasted anywhere.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    limits,
    parameter::{Fault, Kind, Parameter, compile},
};

/// Checked values by parameter name: text for plain ones, the secret's name for secrets.
pub type Values = BTreeMap<String, Bound>;

/// One checked value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// The text that the script receives.
    Plain(String),
    /// Name of the secret whose value the script receives.
    Secret(String),
}

/// Check what a run gives against what the script declares, and fill in defaults.
///
/// # Errors
/// Every fault found, each naming its parameter.
pub fn bind(parameters: &[Parameter], given: &Map<String, Value>) -> Result<Values, Vec<Fault>> {
    let mut faults: Vec<_> = given
        .keys()
        .filter(|name| !parameters.iter().any(|p| &p.name == *name))
        .take(20)
        .map(|name| Fault::new(name, "the script has no such parameter"))
        .collect();
    let mut values = Values::new();
    for p in parameters {
        let value = given.get(&p.name).filter(|v| !v.is_null()).or(p.default.as_ref());
        match value.map(|v| check_one(p, v)) {
            Some(Ok(bound)) => {
                values.insert(p.name.clone(), bound);
            }
            Some(Err(fault)) => faults.push(fault),
            None if p.required => faults.push(Fault::new(&p.name, "a value is required")),
            None => {}
        }
    }
    let total: usize = values.values().map(|(Bound::Plain(t) | Bound::Secret(t))| t.len()).sum();
    if total > limits::VALUES_BYTES {
        faults.push(Fault::new("", format!("all values together exceed {} bytes", limits::VALUES_BYTES)));
    }
    if faults.is_empty() { Ok(values) } else { Err(faults) }
}

/// Check one value against its parameter.
///
/// # Errors
/// The fault, naming the parameter; it does not repeat the value.
pub fn check_one(p: &Parameter, value: &Value) -> Result<Bound, Fault> {
    let fault = |message: &str| Fault::new(&p.name, message);
    let plain = match &p.kind {
        Kind::Text { max_length, pattern } => {
            let text = value.as_str().ok_or_else(|| fault("expected text"))?;
            let most = max_length.unwrap_or(4_096) as usize;
            if text.chars().count() > most {
                return Err(fault(&format!("the value is longer than {most} characters")));
            }
            if let Some(pattern) = pattern {
                let regex = compile(pattern).map_err(|e| fault(&e))?;
                if !regex.is_match(text) {
                    return Err(fault(&format!("the value does not match the pattern {pattern}")));
                }
            }
            text.to_owned()
        }
        Kind::Integer { min, max } => {
            let number = value.as_i64().ok_or_else(|| fault("expected a whole number"))?;
            if min.is_some_and(|m| number < m) {
                return Err(fault(&format!("the value is less than {}", min.unwrap_or_default())));
            }
            if max.is_some_and(|m| number > m) {
                return Err(fault(&format!("the value is greater than {}", max.unwrap_or_default())));
            }
            number.to_string()
        }
        Kind::Boolean => value.as_bool().ok_or_else(|| fault("expected true or false"))?.to_string(),
        Kind::Choice { choices } => {
            let text = value.as_str().ok_or_else(|| fault("expected one of the choices, as text"))?;
            if !choices.iter().any(|c| c == text) {
                return Err(fault(&format!("expected one of: {}", choices.join(", "))));
            }
            text.to_owned()
        }
        Kind::Secret => return check_secret_name(p, value),
    };
    if plain.contains('\0') {
        return Err(fault("the value holds a NUL character, which no program can receive"));
    }
    if plain.len() > limits::VALUE_BYTES {
        return Err(fault(&format!("the value is longer than {} bytes", limits::VALUE_BYTES)));
    }
    Ok(Bound::Plain(plain))
}

fn check_secret_name(p: &Parameter, value: &Value) -> Result<Bound, Fault> {
    let name = value.as_str().filter(|n| {
        (1..=200).contains(&n.len())
            && n.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/' | b':'))
    });
    // The value is not repeated: somebody may have typed the secret itself.
    name.map(|n| Bound::Secret(n.to_owned())).ok_or_else(|| {
        Fault::new(&p.name, "expected the name of a secret: letters, digits and . _ - / : , at most 200")
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::model::parameter::check_declarations;

    fn parameters(value: Value) -> Vec<Parameter> {
        serde_json::from_value(value).expect("parameters of a test parse")
    }

    fn given(value: Value) -> Map<String, Value> {
        value.as_object().cloned().expect("an object")
    }

    #[test]
    fn each_fault_names_its_parameter() {
        let p = parameters(json!([
            {"name": "count", "type": "integer", "min": 1, "max": 9, "required": true},
            {"name": "mode", "type": "choice", "choices": ["fast", "safe"]},
            {"name": "host", "type": "text", "pattern": "[a-z]+", "max_length": 5},
            {"name": "key", "type": "secret"},
            {"name": "loud", "type": "boolean"},
        ]));
        assert_eq!(check_declarations(&p), Ok(()));
        let bad =
            json!({"count": 10, "mode": "x", "host": "A", "key": "pass word", "loud": "yes", "other": 1});
        let faults = bind(&p, &given(bad)).expect_err("all are wrong");
        let names: Vec<_> = faults.iter().map(|f| f.parameter.as_str()).collect();
        assert_eq!(names, ["other", "count", "mode", "host", "key", "loud"]);
        assert!(faults.iter().all(|f| !f.message.contains("pass word")), "a typed secret is not repeated");
        let missing = bind(&p, &Map::new()).expect_err("count is required");
        assert_eq!(missing, [Fault::new("count", "a value is required")]);
    }

    #[test]
    fn defaults_fill_in_and_optional_ones_stay_out() {
        let p = parameters(json!([
            {"name": "a", "type": "integer", "default": 3},
            {"name": "b", "type": "text"},
        ]));
        let values = bind(&p, &Map::new()).expect("nothing is required");
        assert_eq!(values, Values::from([("a".into(), Bound::Plain("3".into()))]));
    }

    #[test]
    fn a_pattern_must_match_the_whole_value() {
        let p = parameters(json!([{"name": "a", "type": "text", "pattern": "a|b"}]));
        assert!(bind(&p, &given(json!({"a": "b"}))).is_ok());
        assert!(bind(&p, &given(json!({"a": "ab"}))).is_err());
        assert!(bind(&p, &given(json!({"a": "a\nb"}))).is_err());
    }

    #[test]
    fn nul_is_refused_and_everything_else_kept_as_it_is() {
        let p = parameters(json!([{"name": "a", "type": "text"}]));
        assert!(bind(&p, &given(json!({"a": "x\0y"}))).is_err());
        let odd = "$(reboot) `id` \"'\\ \n; rm -rf /";
        let values = bind(&p, &given(json!({ "a": odd }))).expect("odd text is text");
        assert_eq!(values["a"], Bound::Plain(odd.into()));
    }

    #[test]
    fn bad_declarations_are_refused() {
        for bad in [
            json!([{"name": "1a", "type": "text"}]),
            json!([{"name": "A", "type": "text"}, {"name": "a", "type": "text"}]),
            json!([{"name": "a", "type": "text", "pattern": "("}]),
            json!([{"name": "a", "type": "integer", "min": 2, "max": 1}]),
            json!([{"name": "a", "type": "choice", "choices": []}]),
            json!([{"name": "a", "type": "choice", "choices": ["x"], "default": "y"}]),
            json!([{"name": "a", "type": "secret", "default": "x"}]),
        ] {
            assert!(check_declarations(&parameters(bad.clone())).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn text_without_nul_arrives_unchanged(text in "[^\0]{0,200}") {
            let p = parameters(json!([{"name": "a", "type": "text"}]));
            let values = bind(&p, &given(json!({ "a": text.clone() }))).expect("text is accepted");
            prop_assert_eq!(&values["a"], &Bound::Plain(text));
        }
    }
}
