//! Merging of file and environment, and errors that say what to change.

use std::{
    collections::BTreeMap,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use toml::{Table, Value};

use super::Config;

/// Environment variables; a parameter, so that tests need not change the process's own.
pub type Environment = BTreeMap<String, String>;

const PREFIX: &str = "SYSMANAGE__";

/// What is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not TOML, or a value has the wrong type.
    #[error("{origin}: {message}")]
    Malformed {
        /// File or variable.
        origin: String,
        /// Position and reason.
        message: String,
    },
    /// A key that does not exist.
    #[error("{origin}: there is no key `{key}`{}", hint.as_ref().map(|h| format!("; did you mean `{h}`?")).unwrap_or_default())]
    UnknownKey {
        /// File or variable.
        origin: String,
        /// The key, dotted.
        key: String,
        /// The nearest known key.
        hint: Option<String>,
    },
    /// A value that cannot be used.
    #[error("{key}: {why}")]
    Value {
        /// The key, dotted.
        key: &'static str,
        /// What is wrong and what would be right.
        why: String,
    },
}

impl ConfigError {
    pub(super) fn value(key: &'static str, why: impl Into<String>) -> Self {
        Self::Value { key, why: why.into() }
    }

    pub(super) fn range(key: &'static str, value: u64, allowed: RangeInclusive<u64>) -> Result<(), Self> {
        if allowed.contains(&value) {
            return Ok(());
        }
        Err(Self::value(key, format!("{value} is not between {} and {}", allowed.start(), allowed.end())))
    }
}

pub(super) fn load(file: Option<&Path>, environment: &Environment) -> Result<Config, ConfigError> {
    let known = known();
    let mut table = match file {
        Some(path) => read(path, &known)?,
        None => Table::new(),
    };
    for (name, text) in environment.iter().filter(|(name, _)| name.starts_with(PREFIX)) {
        apply(&mut table, name, text, &known)?;
    }
    table.try_into().map_err(|error: toml::de::Error| ConfigError::Malformed {
        origin: file.map_or("the environment".into(), |p| p.display().to_string()),
        message: error.message().to_owned(),
    })
}

fn read(path: &Path, known: &Table) -> Result<Table, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Unreadable { path: path.into(), source })?;
    let origin = path.display().to_string();
    let table: Table = text.parse().map_err(|error: toml::de::Error| ConfigError::Malformed {
        origin: origin.clone(),
        message: error.to_string(),
    })?;
    refuse_unknown(&table, known, "", &origin)?;
    Ok(table)
}

/// Every key there is, from the defaults.
fn known() -> Table {
    Table::try_from(Config::default()).expect("the defaults are plain TOML")
}

fn refuse_unknown(table: &Table, known: &Table, prefix: &str, origin: &str) -> Result<(), ConfigError> {
    for (key, value) in table {
        let dotted = format!("{prefix}{key}");
        match (known.get(key), value) {
            // A table without keys of its own is free-form, like `engines.modes`.
            (Some(Value::Table(inner)), Value::Table(given)) if !inner.is_empty() => {
                refuse_unknown(given, inner, &format!("{dotted}."), origin)?;
            }
            (Some(_), _) => {}
            (None, _) => {
                return Err(ConfigError::UnknownKey {
                    origin: origin.into(),
                    hint: nearest(&dotted),
                    key: dotted,
                });
            }
        }
    }
    Ok(())
}

fn apply(table: &mut Table, name: &str, text: &str, known: &Table) -> Result<(), ConfigError> {
    let path: Vec<String> = name[PREFIX.len()..].split("__").map(str::to_ascii_lowercase).collect();
    let dotted = path.join(".");
    let unknown = || ConfigError::UnknownKey {
        origin: format!("variable {name}"),
        key: dotted.clone(),
        hint: nearest(&dotted),
    };
    let (mut target, mut shape) = (table, Some(known));
    let (last, parents) = path.split_last().ok_or_else(unknown)?;
    for parent in parents {
        shape = match shape.and_then(|s| s.get(parent)) {
            Some(Value::Table(inner)) => Some(inner),
            _ => return Err(unknown()),
        };
        target = target
            .entry(parent.clone())
            .or_insert_with(|| Value::Table(Table::new()))
            .as_table_mut()
            .ok_or_else(unknown)?;
    }
    let value = match shape.and_then(|s| s.get(last)) {
        Some(example) => coerce(text, example)
            .map_err(|message| ConfigError::Malformed { origin: format!("variable {name}"), message })?,
        None if shape.is_some_and(Table::is_empty) => Value::String(text.into()),
        None => return Err(unknown()),
    };
    target.insert(last.clone(), value);
    Ok(())
}

/// Read `text` as the type that the default has.
fn coerce(text: &str, example: &Value) -> Result<Value, String> {
    match example {
        Value::Boolean(_) => {
            text.parse().map(Value::Boolean).map_err(|_| format!("`{text}` is not true or false"))
        }
        Value::Integer(_) => {
            text.parse().map(Value::Integer).map_err(|_| format!("`{text}` is not a whole number"))
        }
        Value::Array(_) => {
            let parts = text.split(',').map(str::trim).filter(|p| !p.is_empty());
            Ok(Value::Array(parts.map(|p| Value::String(p.into())).collect()))
        }
        _ => Ok(Value::String(text.into())),
    }
}

fn nearest(key: &str) -> Option<String> {
    let mut keys = Vec::new();
    collect_keys(&known(), "", &mut keys);
    keys.into_iter().map(|k| (distance(key, &k), k)).min().filter(|(d, k)| *d <= k.len() / 2).map(|(_, k)| k)
}

fn collect_keys(table: &Table, prefix: &str, keys: &mut Vec<String>) {
    for (key, value) in table {
        match value {
            Value::Table(inner) if !inner.is_empty() => collect_keys(inner, &format!("{prefix}{key}."), keys),
            _ => keys.push(format!("{prefix}{key}")),
        }
    }
}

/// Edits from `a` to `b` (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, cb) in b.iter().enumerate() {
            let cost = (diagonal + usize::from(ca != *cb)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], cost);
        }
    }
    row[b.len()]
}
