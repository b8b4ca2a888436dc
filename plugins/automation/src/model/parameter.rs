//! Parameters of a script: their types, and the check of the declarations themselves.

use std::collections::BTreeSet;

use regex_lite::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{limits, values};

/// A parameter a script takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Parameter {
    /// Name: a letter or `_`, then letters, digits, `_`; at most 64. Reaches the script as `PARAM_<NAME>`.
    pub name: String,
    /// What it means, for people.
    #[serde(default)]
    pub description: String,
    /// Whether a run must give it (when there is no default).
    #[serde(default)]
    pub required: bool,
    /// Value when a run gives none. A secret has no default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// Type and limits.
    #[serde(flatten)]
    pub kind: Kind,
}

/// Type of a parameter, with its limits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Kind {
    /// Text.
    Text {
        /// Most characters; 4096 when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_length: Option<u32>,
        /// Regular expression the whole value must match.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pattern: Option<String>,
    },
    /// Whole number.
    Integer {
        /// Least value.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<i64>,
        /// Greatest value.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<i64>,
    },
    /// `true` or `false`.
    Boolean,
    /// One of a list.
    Choice {
        /// The values allowed.
        choices: Vec<String>,
    },
    /// Name of a secret that the host keeps. Its value is put in when the run is sent, is never stored, and is masked in
    /// output on the machine.
    Secret,
}

/// What is wrong with one parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// Name of the parameter.
    pub parameter: String,
    /// What is wrong and what is expected.
    pub message: String,
}

impl Fault {
    /// A fault of a parameter.
    pub fn new(parameter: &str, message: impl Into<String>) -> Self {
        Self { parameter: parameter.chars().take(80).collect(), message: message.into() }
    }
}

/// Environment variable a parameter reaches the script in. The prefix keeps `PATH` and its kind out of reach.
pub fn variable(name: &str) -> String {
    format!("PARAM_{}", name.to_ascii_uppercase())
}

/// Whether a name can be a parameter's.
pub fn is_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Compile a pattern so that it must match the whole value.
///
/// # Errors
/// A sentence when it is too long or does not parse.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    if pattern.len() > limits::PATTERN_BYTES {
        return Err(format!("the pattern is longer than {} bytes", limits::PATTERN_BYTES));
    }
    RegexBuilder::new(&format!("^(?:{pattern})$"))
        .size_limit(1 << 20)
        .build()
        .map_err(|e| format!("the pattern does not parse: {e}"))
}

/// Check the declarations of a script's parameters.
///
/// # Errors
/// Every fault found, each with the parameter's name.
pub fn check_declarations(parameters: &[Parameter]) -> Result<(), Vec<Fault>> {
    let mut faults = Vec::new();
    if parameters.len() > limits::PARAMETERS {
        faults.push(Fault::new("", format!("a script has at most {} parameters", limits::PARAMETERS)));
    }
    let mut seen = BTreeSet::new();
    for p in parameters.iter().take(limits::PARAMETERS) {
        if !is_name(&p.name) {
            faults.push(Fault::new(
                &p.name,
                "the name must begin with a letter or _ and hold only letters, digits and _, at most 64",
            ));
        } else if !seen.insert(variable(&p.name)) {
            faults.push(Fault::new(&p.name, "another parameter has this name (case does not count)"));
        }
        if p.description.chars().count() > limits::TEXT_CHARS {
            faults.push(Fault::new(&p.name, "the description is too long"));
        }
        faults.extend(check_kind(p).err());
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

fn check_kind(p: &Parameter) -> Result<(), Fault> {
    let fault = |message: String| Fault::new(&p.name, message);
    match &p.kind {
        Kind::Text { pattern, max_length } => {
            if max_length.is_some_and(|m| m == 0 || m as usize > limits::VALUE_BYTES) {
                return Err(fault(format!("max_length must be 1 to {}", limits::VALUE_BYTES)));
            }
            if let Some(pattern) = pattern {
                compile(pattern).map_err(fault)?;
            }
        }
        Kind::Integer { min: Some(min), max: Some(max) } if min > max => {
            return Err(fault("min is greater than max".into()));
        }
        Kind::Choice { choices } => {
            let distinct: BTreeSet<_> = choices.iter().collect();
            if choices.is_empty() || choices.len() > limits::CHOICES || distinct.len() != choices.len() {
                return Err(fault(format!("choices must be 1 to {} different values", limits::CHOICES)));
            }
            if choices.iter().any(|c| c.len() > 1_000 || c.contains('\0')) {
                return Err(fault("a choice is longer than 1000 bytes or holds a NUL character".into()));
            }
        }
        Kind::Secret if p.default.is_some() => return Err(fault("a secret has no default".into())),
        _ => {}
    }
    match &p.default {
        Some(value) => {
            values::check_one(p, value).map(|_| ()).map_err(|e| fault(format!("default: {}", e.message)))
        }
        None => Ok(()),
    }
}
