//! Values on PostgreSQL, by the column's type.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use plugin_api::abi::{SqlType, SqlValue};
use rust_decimal::Decimal;
use sqlx::{
    Arguments, Row, TypeInfo, ValueRef,
    postgres::{PgArguments, PgRow, PgTypeInfo},
    types::Json,
};

use super::time;
use crate::SqlError;

/// Arguments for a statement. A NULL carries its type, so that the server need not guess.
pub(crate) fn bind(values: &[SqlValue]) -> Result<PgArguments, SqlError> {
    let mut args = PgArguments::default();
    for value in values {
        let added = match value {
            SqlValue::Null(kind) => null(&mut args, *kind),
            SqlValue::Bool(v) => args.add(*v),
            SqlValue::I16(v) => args.add(*v),
            SqlValue::I32(v) => args.add(*v),
            SqlValue::I64(v) => args.add(*v),
            SqlValue::F32(v) => args.add(*v),
            SqlValue::F64(v) => args.add(*v),
            SqlValue::Text(v) => args.add(v.as_str().to_owned()),
            SqlValue::Bytes(v) => args.add(v.to_vec()),
            SqlValue::Uuid(v) => args.add(uuid::Uuid::from_bytes(*v)),
            SqlValue::TimestampTz(v) => args.add(time::instant(*v)?),
            SqlValue::Timestamp(v) => args.add(time::instant(*v)?.naive_utc()),
            SqlValue::Date(v) => args.add(time::date(*v)?),
            SqlValue::Time(v) => args.add(time::time(*v)?),
            SqlValue::Decimal(v) => args.add(decimal(v)?),
            SqlValue::Json(v) => args.add(Json(json(v)?)),
        };
        added.map_err(|e| SqlError::Value(e.to_string()))?;
    }
    Ok(args)
}

fn null(args: &mut PgArguments, kind: SqlType) -> Result<(), sqlx::error::BoxDynError> {
    match kind {
        SqlType::Bool => args.add(None::<bool>),
        SqlType::I16 => args.add(None::<i16>),
        SqlType::I32 => args.add(None::<i32>),
        SqlType::I64 => args.add(None::<i64>),
        SqlType::F32 => args.add(None::<f32>),
        SqlType::F64 => args.add(None::<f64>),
        SqlType::Unknown | SqlType::Text => args.add(None::<String>),
        SqlType::Bytes => args.add(None::<Vec<u8>>),
        SqlType::Uuid => args.add(None::<uuid::Uuid>),
        SqlType::TimestampTz => args.add(None::<DateTime<Utc>>),
        SqlType::Timestamp => args.add(None::<NaiveDateTime>),
        SqlType::Date => args.add(None::<NaiveDate>),
        SqlType::Time => args.add(None::<NaiveTime>),
        SqlType::Decimal => args.add(None::<Decimal>),
        SqlType::Json => args.add(None::<Json<serde_json::Value>>),
    }
}

fn decimal(text: &str) -> Result<Decimal, SqlError> {
    Decimal::from_str_exact(text).map_err(|e| SqlError::Value(format!("`{text}` is no decimal: {e}")))
}

fn json(text: &str) -> Result<serde_json::Value, SqlError> {
    serde_json::from_str(text).map_err(|e| SqlError::Value(format!("a JSON value does not parse: {e}")))
}

/// The type of a column.
pub(crate) fn kind(info: &PgTypeInfo) -> SqlType {
    match info.name() {
        "BOOL" => SqlType::Bool,
        "INT2" => SqlType::I16,
        "INT4" => SqlType::I32,
        "INT8" => SqlType::I64,
        "FLOAT4" => SqlType::F32,
        "FLOAT8" => SqlType::F64,
        "TEXT" | "VARCHAR" | "CHAR" | "BPCHAR" | "NAME" | "citext" => SqlType::Text,
        "BYTEA" => SqlType::Bytes,
        "UUID" => SqlType::Uuid,
        "TIMESTAMPTZ" => SqlType::TimestampTz,
        "TIMESTAMP" => SqlType::Timestamp,
        "DATE" => SqlType::Date,
        "TIME" => SqlType::Time,
        "NUMERIC" => SqlType::Decimal,
        "JSON" | "JSONB" => SqlType::Json,
        _ => SqlType::Unknown,
    }
}

/// One value.
pub(crate) fn read(row: &PgRow, index: usize, kind: SqlType) -> Result<SqlValue, SqlError> {
    let raw = row.try_get_raw(index)?;
    if raw.is_null() {
        return Ok(SqlValue::Null(kind));
    }
    Ok(match kind {
        SqlType::Bool => SqlValue::Bool(row.try_get(index)?),
        SqlType::I16 => SqlValue::I16(row.try_get(index)?),
        SqlType::I32 => SqlValue::I32(row.try_get(index)?),
        SqlType::I64 => SqlValue::I64(row.try_get(index)?),
        SqlType::F32 => SqlValue::F32(row.try_get(index)?),
        SqlType::F64 => SqlValue::F64(row.try_get(index)?),
        SqlType::Text => SqlValue::Text(row.try_get_unchecked::<String, _>(index)?.into()),
        SqlType::Bytes => SqlValue::Bytes(row.try_get::<Vec<u8>, _>(index)?.into()),
        SqlType::Uuid => SqlValue::Uuid(*row.try_get::<uuid::Uuid, _>(index)?.as_bytes()),
        SqlType::TimestampTz => {
            SqlValue::TimestampTz(row.try_get::<DateTime<Utc>, _>(index)?.timestamp_micros())
        }
        SqlType::Timestamp => SqlValue::Timestamp(time::micros(row.try_get(index)?)),
        SqlType::Date => SqlValue::Date(time::days(row.try_get(index)?)),
        SqlType::Time => SqlValue::Time(time::micros_of_day(row.try_get(index)?)),
        SqlType::Decimal => SqlValue::Decimal(row.try_get::<Decimal, _>(index)?.to_string().into()),
        SqlType::Json => json_text(row, index)?,
        SqlType::Unknown => unknown(row, index)?,
    })
}

/// JSON as the server prints it: no number passes through a float.
fn json_text(row: &PgRow, index: usize) -> Result<SqlValue, SqlError> {
    let raw: &serde_json::value::RawValue = row.try_get::<Json<&serde_json::value::RawValue>, _>(index)?.0;
    Ok(SqlValue::Json(raw.get().into()))
}

fn unknown(row: &PgRow, index: usize) -> Result<SqlValue, SqlError> {
    match row.try_get_unchecked::<String, _>(index) {
        Ok(text) => Ok(SqlValue::Text(text.into())),
        Err(_) => Err(SqlError::Value(format!(
            "column {} has a type that engines cannot read; cast it to text",
            index + 1
        ))),
    }
}
