//! Values on SQLite, in the very forms that sea-orm's own driver writes: UUIDs as 16-byte blobs, times as
//! RFC 3339 text in UTC, JSON and decimals as text. So values compare and sort alike, whoever wrote them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use plugin_api::abi::{SqlType, SqlValue};
use sqlx::{Arguments, Row, TypeInfo, ValueRef, sqlite::SqliteArguments, sqlite::SqliteRow};

use super::time;
use crate::SqlError;

/// Arguments for a statement.
pub(crate) fn bind(values: &[SqlValue]) -> Result<SqliteArguments, SqlError> {
    let mut args = SqliteArguments::default();
    for value in values {
        let added = match value {
            SqlValue::Null(_) => args.add(None::<i64>),
            SqlValue::Bool(v) => args.add(*v),
            SqlValue::I16(v) => args.add(*v),
            SqlValue::I32(v) => args.add(*v),
            SqlValue::I64(v) => args.add(*v),
            SqlValue::F32(v) => args.add(*v),
            SqlValue::F64(v) => args.add(*v),
            SqlValue::Text(v) | SqlValue::Decimal(v) | SqlValue::Json(v) => args.add(v.as_str().to_owned()),
            SqlValue::Bytes(v) => args.add(v.to_vec()),
            SqlValue::Uuid(v) => args.add(v.to_vec()),
            SqlValue::TimestampTz(v) => args.add(time::instant(*v)?),
            SqlValue::Timestamp(v) => args.add(time::instant(*v)?.naive_utc()),
            SqlValue::Date(v) => args.add(time::date(*v)?),
            SqlValue::Time(v) => args.add(time::time(*v)?),
        };
        added.map_err(|e| SqlError::Value(e.to_string()))?;
    }
    Ok(args)
}

/// The type behind a column's declaration, as sea-query and people write them.
pub(crate) fn declared(declaration: &str) -> SqlType {
    let text = declaration.to_ascii_lowercase();
    let word = text.split('(').next().unwrap_or_default().trim();
    match word {
        "boolean" | "bool" => SqlType::Bool,
        "uuid_text" | "uuid" | "uuid_blob" => SqlType::Uuid,
        "timestamp_with_timezone_text" | "timestamptz" | "timestamp with time zone" => SqlType::TimestampTz,
        "timestamp_text" | "datetime_text" | "timestamp" | "datetime" => SqlType::Timestamp,
        "date_text" | "date" => SqlType::Date,
        "time_text" | "time" => SqlType::Time,
        "json_text" | "jsonb_text" | "json" | "jsonb" => SqlType::Json,
        "real_decimal" | "real_money" | "decimal" | "numeric" => SqlType::Decimal,
        "real" if text.contains(',') => SqlType::Decimal,
        "float" => SqlType::F32,
        "real" | "double" | "double precision" => SqlType::F64,
        // SQLite keeps 64 bits whatever the word is, and sea-query writes `integer` for every width.
        _ if word.contains("int") => SqlType::I64,
        _ if word.contains("char") || word.contains("text") || word.contains("clob") => SqlType::Text,
        _ if word.contains("blob") || word == "bytea" => SqlType::Bytes,
        _ => SqlType::Unknown,
    }
}

/// One value, by the column's declared type where the stored form allows it, else as it is stored.
pub(crate) fn read(row: &SqliteRow, index: usize, kind: SqlType) -> Result<SqlValue, SqlError> {
    let raw = row.try_get_raw(index)?;
    if raw.is_null() {
        return Ok(SqlValue::Null(kind));
    }
    let stored = raw.type_info();
    match stored.name() {
        "INTEGER" | "BOOLEAN" => integer(row.try_get_unchecked(index)?, kind),
        "REAL" => real(row.try_get_unchecked(index)?, kind),
        "BLOB" => Ok(blob(row.try_get_unchecked(index)?, kind)),
        _ => text(row, index, kind),
    }
}

fn integer(v: i64, kind: SqlType) -> Result<SqlValue, SqlError> {
    Ok(match kind {
        SqlType::Bool => SqlValue::Bool(v != 0),
        #[allow(clippy::cast_precision_loss)] // What a REAL column would have done.
        SqlType::F32 | SqlType::F64 if v.unsigned_abs() <= 1 << 53 => SqlValue::F64(v as f64),
        SqlType::Decimal => SqlValue::Decimal(v.to_string().into()),
        SqlType::Timestamp if v.unsigned_abs() < 1 << 40 => SqlValue::Timestamp(v * 1_000_000),
        SqlType::TimestampTz if v.unsigned_abs() < 1 << 40 => SqlValue::TimestampTz(v * 1_000_000),
        _ => SqlValue::I64(v),
    })
}

fn real(v: f64, kind: SqlType) -> Result<SqlValue, SqlError> {
    #[allow(clippy::cast_possible_truncation)] // Checked to be the same number.
    let single = v as f32;
    Ok(match kind {
        SqlType::F32 if f64::from(single) == v => SqlValue::F32(single),
        SqlType::Decimal => SqlValue::Decimal(v.to_string().into()),
        _ => SqlValue::F64(v),
    })
}

fn blob(v: Vec<u8>, kind: SqlType) -> SqlValue {
    match kind {
        SqlType::Uuid => match <[u8; 16]>::try_from(v.as_slice()) {
            Ok(id) => SqlValue::Uuid(id),
            Err(_) => SqlValue::Bytes(v.into()),
        },
        SqlType::Json => match String::from_utf8(v) {
            Ok(text) => SqlValue::Json(text.into()),
            Err(e) => SqlValue::Bytes(e.into_bytes().into()),
        },
        _ => SqlValue::Bytes(v.into()),
    }
}

fn text(row: &SqliteRow, index: usize, kind: SqlType) -> Result<SqlValue, SqlError> {
    let typed = match kind {
        SqlType::TimestampTz => row
            .try_get_unchecked::<DateTime<Utc>, _>(index)
            .ok()
            .map(|t| SqlValue::TimestampTz(t.timestamp_micros())),
        SqlType::Timestamp => row
            .try_get_unchecked::<NaiveDateTime, _>(index)
            .ok()
            .map(|t| SqlValue::Timestamp(time::micros(t))),
        SqlType::Date => {
            row.try_get_unchecked::<NaiveDate, _>(index).ok().map(|d| SqlValue::Date(time::days(d)))
        }
        SqlType::Time => {
            row.try_get_unchecked::<NaiveTime, _>(index).ok().map(|t| SqlValue::Time(time::micros_of_day(t)))
        }
        _ => None,
    };
    if let Some(value) = typed {
        return Ok(value);
    }
    let text: String = row.try_get_unchecked(index)?;
    Ok(match kind {
        SqlType::Json => SqlValue::Json(text.into()),
        SqlType::Decimal => SqlValue::Decimal(text.into()),
        SqlType::Uuid => match uuid::Uuid::try_parse(&text) {
            Ok(id) => SqlValue::Uuid(*id.as_bytes()),
            Err(_) => SqlValue::Text(text.into()),
        },
        _ => SqlValue::Text(text.into()),
    })
}
