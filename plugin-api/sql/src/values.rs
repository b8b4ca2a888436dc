//! Typed values in and out of each database.

pub(crate) mod postgres;
pub(crate) mod sqlite;
mod time;

use plugin_api::abi::SqlValue;

/// Bytes a value counts for in the limit of an answer.
pub(crate) fn weight(value: &SqlValue) -> usize {
    match value {
        SqlValue::Text(s) | SqlValue::Json(s) | SqlValue::Decimal(s) => 16 + s.len(),
        SqlValue::Bytes(b) => 16 + b.len(),
        _ => 16,
    }
}

/// A date or time of day as text.
pub(crate) fn time_text(value: &SqlValue) -> Option<String> {
    match value {
        SqlValue::Date(days) => time::date(*days).ok().map(|d| d.to_string()),
        SqlValue::Time(micros) => time::time(*micros).ok().map(|t| t.to_string()),
        _ => None,
    }
}
