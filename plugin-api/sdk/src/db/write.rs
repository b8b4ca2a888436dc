//! Statements of sea-orm for the SQL service.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone, Timelike};
use plugin_api::abi::{SqlStatement, SqlType, SqlValue};
use sea_orm::{
    DbErr, Statement,
    sea_query::{OptionEnum, Value},
};

pub(super) fn statement(statement: Statement) -> Result<SqlStatement, DbErr> {
    let values = statement.values.map(|values| values.0).unwrap_or_default();
    let values = values.into_iter().map(value).collect::<Result<Vec<_>, _>>()?;
    Ok(SqlStatement { sql: statement.sql.into(), values: values.into() })
}

fn value(value: Value) -> Result<SqlValue, DbErr> {
    /// The conversion of `Some`, a typed NULL for `None`.
    macro_rules! or_null {
        ($option:expr, $kind:ident, |$v:ident| $convert:expr) => {
            match $option {
                Some($v) => $convert,
                None => SqlValue::Null(SqlType::$kind),
            }
        };
    }
    Ok(match value {
        Value::Bool(v) => or_null!(v, Bool, |v| SqlValue::Bool(v)),
        Value::TinyInt(v) => or_null!(v, I16, |v| SqlValue::I16(v.into())),
        Value::SmallInt(v) => or_null!(v, I16, |v| SqlValue::I16(v)),
        Value::Int(v) => or_null!(v, I32, |v| SqlValue::I32(v)),
        Value::BigInt(v) => or_null!(v, I64, |v| SqlValue::I64(v)),
        Value::TinyUnsigned(v) => or_null!(v, I16, |v| SqlValue::I16(v.into())),
        Value::SmallUnsigned(v) => or_null!(v, I32, |v| SqlValue::I32(v.into())),
        Value::Unsigned(v) => or_null!(v, I64, |v| SqlValue::I64(v.into())),
        Value::BigUnsigned(v) => or_null!(v, I64, |v| SqlValue::I64(big(v)?)),
        Value::Float(v) => or_null!(v, F32, |v| SqlValue::F32(v)),
        Value::Double(v) => or_null!(v, F64, |v| SqlValue::F64(v)),
        Value::String(v) => or_null!(v, Text, |v| SqlValue::Text(v.into())),
        Value::Char(v) => or_null!(v, Text, |v| SqlValue::Text(v.to_string().into())),
        Value::Enum(OptionEnum::Some(v)) => SqlValue::Text(v.value.into_owned().into()),
        Value::Enum(OptionEnum::None(_)) => SqlValue::Null(SqlType::Text),
        Value::Bytes(v) => or_null!(v, Bytes, |v| SqlValue::Bytes(v.into())),
        Value::Json(v) => or_null!(v, Json, |v| SqlValue::Json(v.to_string().into())),
        Value::ChronoDate(v) => or_null!(v, Date, |v| SqlValue::Date(days(v)?)),
        Value::ChronoTime(v) => or_null!(v, Time, |v| SqlValue::Time(micros_of_day(v))),
        Value::ChronoDateTime(v) => {
            or_null!(v, Timestamp, |v| SqlValue::Timestamp(v.and_utc().timestamp_micros()))
        }
        Value::ChronoDateTimeUtc(v) => or_null!(v, TimestampTz, |v| instant(&v)),
        Value::ChronoDateTimeLocal(v) => or_null!(v, TimestampTz, |v| instant(&v)),
        Value::ChronoDateTimeWithTimeZone(v) => or_null!(v, TimestampTz, |v| instant(&v)),
        Value::Uuid(v) => or_null!(v, Uuid, |v| SqlValue::Uuid(v.into_bytes())),
        Value::Decimal(v) => or_null!(v, Decimal, |v| SqlValue::Decimal(v.to_string().into())),
        // Reachable when another crate switches sea-query features on.
        #[allow(unreachable_patterns)]
        other => return Err(DbErr::Type(format!("values such as {other:?} are not supported"))),
    })
}

fn big(value: u64) -> Result<i64, DbErr> {
    i64::try_from(value).map_err(|_| DbErr::Type(format!("{value} is greater than the database's integers")))
}

fn instant<Z: TimeZone>(at: &DateTime<Z>) -> SqlValue {
    SqlValue::TimestampTz(at.timestamp_micros())
}

fn days(date: NaiveDate) -> Result<i32, DbErr> {
    let days = date.signed_duration_since(NaiveDate::default()).num_days();
    i32::try_from(days).map_err(|_| DbErr::Type(format!("{date} is out of range")))
}

/// A leap second counts as the second before it.
fn micros_of_day(time: NaiveTime) -> i64 {
    let micros = i64::from(time.nanosecond().min(999_999_999) / 1000);
    i64::from(time.num_seconds_from_midnight()) * 1_000_000 + micros
}
