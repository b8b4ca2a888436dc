//! One value of the SQL service as the type an entity declares, or an error that says why not.

use chrono::{DateTime, Days, FixedOffset, Local, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use plugin_api::abi::{SqlType, SqlValue};
use rust_decimal::Decimal;
use sea_orm::sea_query::{ArrayType, Value};
use uuid::Uuid;

use super::text;

/// Convert to the declared type, or for expressions to the widest type of its kind.
pub(super) fn to_value(value: SqlValue, declared: Option<&ArrayType>) -> Result<Value, String> {
    match declared {
        Some(kind) => declared_value(value, kind),
        None => plain_value(value),
    }
}

fn plain_value(value: SqlValue) -> Result<Value, String> {
    use ArrayType as A;
    let kind = match &value {
        SqlValue::Null(kind) => return Ok(plain_null(*kind)),
        SqlValue::Bool(_) => A::Bool,
        SqlValue::I16(_) | SqlValue::I32(_) | SqlValue::I64(_) => A::BigInt,
        SqlValue::F32(_) | SqlValue::F64(_) => A::Double,
        SqlValue::Text(_) => A::String,
        SqlValue::Bytes(_) => A::Bytes,
        SqlValue::Uuid(_) => A::Uuid,
        SqlValue::TimestampTz(_) => A::ChronoDateTimeUtc,
        SqlValue::Timestamp(_) => A::ChronoDateTime,
        SqlValue::Date(_) => A::ChronoDate,
        SqlValue::Time(_) => A::ChronoTime,
        SqlValue::Decimal(_) => A::Decimal,
        SqlValue::Json(_) => A::Json,
    };
    declared_value(value, &kind)
}

fn plain_null(kind: SqlType) -> Value {
    match kind {
        SqlType::Bool => Value::Bool(None),
        SqlType::I16 | SqlType::I32 | SqlType::I64 => Value::BigInt(None),
        SqlType::F32 | SqlType::F64 => Value::Double(None),
        SqlType::Text | SqlType::Unknown => Value::String(None),
        SqlType::Bytes => Value::Bytes(None),
        SqlType::Uuid => Value::Uuid(None),
        SqlType::TimestampTz => Value::ChronoDateTimeUtc(None),
        SqlType::Timestamp => Value::ChronoDateTime(None),
        SqlType::Date => Value::ChronoDate(None),
        SqlType::Time => Value::ChronoTime(None),
        SqlType::Decimal => Value::Decimal(None),
        SqlType::Json => Value::Json(None),
    }
}

fn declared_value(value: SqlValue, kind: &ArrayType) -> Result<Value, String> {
    use ArrayType as A;
    let null = matches!(value, SqlValue::Null(_));
    /// `Value::$variant(None)` for NULL, else the conversion.
    macro_rules! or_null {
        ($variant:ident, $convert:expr) => {
            Value::$variant(if null { None } else { Some($convert) })
        };
    }
    Ok(match kind {
        A::Bool => or_null!(Bool, boolean(&value)?),
        A::TinyInt => or_null!(TinyInt, integer(&value)?),
        A::SmallInt => or_null!(SmallInt, integer(&value)?),
        A::Int => or_null!(Int, integer(&value)?),
        A::BigInt => or_null!(BigInt, integer(&value)?),
        A::TinyUnsigned => or_null!(TinyUnsigned, integer(&value)?),
        A::SmallUnsigned => or_null!(SmallUnsigned, integer(&value)?),
        A::Unsigned => or_null!(Unsigned, integer(&value)?),
        A::BigUnsigned => or_null!(BigUnsigned, integer(&value)?),
        A::Float => or_null!(Float, single(&value)?),
        A::Double => or_null!(Double, double(&value)?),
        A::String => or_null!(String, string(value)?),
        A::Char => or_null!(Char, character(&value)?),
        A::Bytes => or_null!(Bytes, bytes(value)?),
        A::Json => or_null!(Json, Box::new(json(&value)?)),
        A::ChronoDate => or_null!(ChronoDate, date(&value)?),
        A::ChronoTime => or_null!(ChronoTime, time(&value)?),
        A::ChronoDateTime => or_null!(ChronoDateTime, date_time(&value)?),
        A::ChronoDateTimeUtc => or_null!(ChronoDateTimeUtc, instant(&value)?),
        A::ChronoDateTimeLocal => {
            or_null!(ChronoDateTimeLocal, instant(&value)?.with_timezone(&Local))
        }
        A::ChronoDateTimeWithTimeZone => {
            or_null!(ChronoDateTimeWithTimeZone, DateTime::<FixedOffset>::from(instant(&value)?))
        }
        A::Uuid => or_null!(Uuid, uuid(&value)?),
        A::Decimal => or_null!(Decimal, decimal(&value)?),
        other => return Err(format!("columns of type {other:?} are not supported")),
    })
}

fn refused(value: &SqlValue, wanted: &str) -> String {
    let kind = match value {
        SqlValue::Null(_) => "NULL",
        SqlValue::Bool(_) => "a boolean",
        SqlValue::I16(_) | SqlValue::I32(_) | SqlValue::I64(_) => "an integer",
        SqlValue::F32(_) | SqlValue::F64(_) => "a floating-point number",
        SqlValue::Text(_) => "text",
        SqlValue::Bytes(_) => "bytes",
        SqlValue::Uuid(_) => "a UUID",
        SqlValue::TimestampTz(_) | SqlValue::Timestamp(_) => "a time stamp",
        SqlValue::Date(_) => "a date",
        SqlValue::Time(_) => "a time",
        SqlValue::Decimal(_) => "a decimal",
        SqlValue::Json(_) => "JSON",
    };
    format!("the database holds {kind} that is not {wanted}")
}

fn whole(value: &SqlValue) -> Option<i64> {
    match value {
        SqlValue::I16(n) => Some((*n).into()),
        SqlValue::I32(n) => Some((*n).into()),
        SqlValue::I64(n) => Some(*n),
        _ => None,
    }
}

fn integer<T: TryFrom<i64>>(value: &SqlValue) -> Result<T, String> {
    let fits = whole(value).and_then(|n| T::try_from(n).ok());
    fits.ok_or_else(|| refused(value, std::any::type_name::<T>()))
}

fn boolean(value: &SqlValue) -> Result<bool, String> {
    match (value, whole(value)) {
        (SqlValue::Bool(b), _) => Ok(*b),
        (_, Some(n @ (0 | 1))) => Ok(n == 1),
        _ => Err(refused(value, "true or false")),
    }
}

/// Whole numbers that a double holds exactly.
const EXACT: i64 = 1 << 53;

fn double(value: &SqlValue) -> Result<f64, String> {
    match (value, whole(value)) {
        (SqlValue::F64(n), _) => Ok(*n),
        (SqlValue::F32(n), _) => Ok((*n).into()),
        // Exact by the bound.
        #[allow(clippy::cast_precision_loss)]
        (_, Some(n)) if n.abs_diff(0) <= EXACT.unsigned_abs() => Ok(n as f64),
        _ => Err(refused(value, "a double")),
    }
}

#[allow(clippy::cast_possible_truncation)] // A column declared single holds single precision.
fn single(value: &SqlValue) -> Result<f32, String> {
    match value {
        SqlValue::F32(n) => Ok(*n),
        _ => double(value).map(|n| n as f32),
    }
}

fn string(value: SqlValue) -> Result<String, String> {
    match value {
        SqlValue::Text(s) => Ok(s.into_string()),
        other => Err(refused(&other, "text")),
    }
}

fn character(value: &SqlValue) -> Result<char, String> {
    if let SqlValue::Text(s) = value {
        let mut chars = s.chars();
        if let (Some(c), None) = (chars.next(), chars.next()) {
            return Ok(c);
        }
    }
    Err(refused(value, "one character"))
}

fn bytes(value: SqlValue) -> Result<Vec<u8>, String> {
    match value {
        SqlValue::Bytes(b) => Ok(b.into_vec()),
        other => Err(refused(&other, "bytes")),
    }
}

fn json(value: &SqlValue) -> Result<serde_json::Value, String> {
    let (SqlValue::Json(s) | SqlValue::Text(s)) = value else { return Err(refused(value, "JSON")) };
    serde_json::from_str(s).map_err(|_| refused(value, "JSON"))
}

fn uuid(value: &SqlValue) -> Result<Uuid, String> {
    let parsed = match value {
        SqlValue::Uuid(b) => Some(Uuid::from_bytes(*b)),
        SqlValue::Bytes(b) => Uuid::from_slice(b).ok(),
        SqlValue::Text(s) => Uuid::parse_str(s).ok(),
        _ => None,
    };
    parsed.ok_or_else(|| refused(value, "a UUID"))
}

fn decimal(value: &SqlValue) -> Result<Decimal, String> {
    let parsed = match (value, whole(value)) {
        (SqlValue::Decimal(s) | SqlValue::Text(s), _) => Decimal::from_str_exact(s).ok(),
        (_, Some(n)) => Some(n.into()),
        (SqlValue::F64(_) | SqlValue::F32(_), _) => {
            return Err(
                "the column is floating point and loses digits; create it with `Schema::decimal`".into()
            );
        }
        _ => None,
    };
    parsed.ok_or_else(|| refused(value, "a decimal of at most 28 digits"))
}

fn instant(value: &SqlValue) -> Result<DateTime<Utc>, String> {
    let parsed = match value {
        SqlValue::TimestampTz(us) | SqlValue::Timestamp(us) => DateTime::from_timestamp_micros(*us),
        SqlValue::Text(s) => text::instant(s),
        _ => None,
    };
    parsed.ok_or_else(|| refused(value, "an instant"))
}

fn date_time(value: &SqlValue) -> Result<NaiveDateTime, String> {
    let parsed = match value {
        SqlValue::Timestamp(us) => DateTime::from_timestamp_micros(*us).map(|at| at.naive_utc()),
        SqlValue::Text(s) => text::date_time(s),
        _ => None,
    };
    parsed.ok_or_else(|| refused(value, "a date and time"))
}

fn date(value: &SqlValue) -> Result<NaiveDate, String> {
    let parsed = match value {
        SqlValue::Date(days) => {
            let by = Days::new(days.unsigned_abs().into());
            let epoch = NaiveDate::default();
            if *days < 0 { epoch.checked_sub_days(by) } else { epoch.checked_add_days(by) }
        }
        SqlValue::Text(s) => text::date(s),
        _ => None,
    };
    parsed.ok_or_else(|| refused(value, "a date"))
}

fn time(value: &SqlValue) -> Result<NaiveTime, String> {
    let parsed = match value {
        SqlValue::Time(us) if (0..86_400_000_000).contains(us) => {
            Some(NaiveTime::MIN + TimeDelta::microseconds(*us))
        }
        SqlValue::Text(s) => text::time(s),
        _ => None,
    };
    parsed.ok_or_else(|| refused(value, "a time of day"))
}
