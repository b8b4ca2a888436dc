//! Times as counts, and back.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, Utc};

use crate::SqlError;

const EPOCH: NaiveDate = NaiveDate::from_ymd_opt(1970, 1, 1).expect("the epoch is a date");

fn out_of_range(what: &str, value: i64) -> SqlError {
    SqlError::Value(format!("{value} is out of range for a {what}"))
}

pub(super) fn instant(micros: i64) -> Result<DateTime<Utc>, SqlError> {
    DateTime::from_timestamp_micros(micros).ok_or_else(|| out_of_range("timestamp", micros))
}

pub(super) fn date(days: i32) -> Result<NaiveDate, SqlError> {
    let far = Days::new(u64::from(days.unsigned_abs()));
    let date = if days >= 0 { EPOCH.checked_add_days(far) } else { EPOCH.checked_sub_days(far) };
    date.ok_or_else(|| out_of_range("date", days.into()))
}

pub(super) fn time(micros: i64) -> Result<NaiveTime, SqlError> {
    let fail = || out_of_range("time of day", micros);
    let seconds = u32::try_from(micros.div_euclid(1_000_000)).map_err(|_| fail())?;
    let nanos = u32::try_from(micros.rem_euclid(1_000_000) * 1000).map_err(|_| fail())?;
    NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanos).ok_or_else(fail)
}

pub(super) fn days(date: NaiveDate) -> i32 {
    i32::try_from((date - EPOCH).num_days()).unwrap_or(i32::MAX)
}

pub(super) fn micros_of_day(time: NaiveTime) -> i64 {
    (time - NaiveTime::MIN).num_microseconds().unwrap_or(0)
}

pub(super) fn micros(at: NaiveDateTime) -> i64 {
    at.and_utc().timestamp_micros()
}
