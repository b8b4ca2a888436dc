//! Cron expressions of five fields, as cron(8) reads them, in a time zone.
//!
//! `minute hour day-of-month month day-of-week`, with `*`, lists, ranges, steps, names of months and weekdays, and
//! `@hourly @daily @weekly @monthly @yearly`. Sunday is 0 or 7. When both day fields are restricted either may match.
//! A time that a change of clocks skips runs at the end of the gap; a time that comes twice runs at its first coming,
//! except when the hour field is `*`, where both come.

use chrono::{DateTime, Datelike, Duration, LocalResult, NaiveDate, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/// Days looked ahead: a leap day on a given weekday comes within 40 years.
const HORIZON_DAYS: i64 = 366 * 41;

/// A parsed expression. Each field is a set of bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    any_hour: bool,
    any_day: bool,
    any_weekday: bool,
}

impl Cron {
    /// Parse an expression.
    ///
    /// # Errors
    /// A sentence that names the field.
    pub fn parse(expression: &str) -> Result<Self, String> {
        let expression = match expression.trim() {
            "@hourly" => "0 * * * *",
            "@daily" | "@midnight" => "0 0 * * *",
            "@weekly" => "0 0 * * 0",
            "@monthly" => "0 0 1 * *",
            "@yearly" | "@annually" => "0 0 1 1 *",
            other => other,
        };
        if expression.len() > 200 {
            return Err("the expression is longer than 200 characters".into());
        }
        let fields: Vec<_> = expression.split_ascii_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields[..] else {
            return Err("expected five fields: minute hour day-of-month month day-of-week".into());
        };
        let mut weekdays = field("day-of-week", weekday, 0, 7, &WEEKDAYS, 0)?;
        if weekdays & (1 << 7) != 0 {
            weekdays = (weekdays | 1) & 0x7f;
        }
        Ok(Self {
            minutes: field("minute", minute, 0, 59, &[], 0)?,
            hours: field("hour", hour, 0, 23, &[], 0)?,
            days: field("day-of-month", day, 1, 31, &[], 0)?,
            months: field("month", month, 1, 12, &MONTHS, 1)?,
            weekdays,
            any_hour: hour.starts_with('*'),
            any_day: day.starts_with('*'),
            any_weekday: weekday.starts_with('*'),
        })
    }

    /// The first time after `after`; `None` when there is none, e.g. for 31 February.
    pub fn next(&self, after: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let first = after.with_timezone(&zone).date_naive().pred_opt()?;
        (0..HORIZON_DAYS)
            .filter_map(|n| first.checked_add_signed(Duration::days(n)))
            .filter(|day| self.matches(*day))
            .find_map(|day| self.instants(day, zone).into_iter().find(|t| *t > after))
    }

    fn matches(&self, day: NaiveDate) -> bool {
        let in_days = self.days & (1 << day.day()) != 0;
        let in_weekdays = self.weekdays & (1 << day.weekday().num_days_from_sunday()) != 0;
        let day_matches =
            if self.any_day || self.any_weekday { in_days && in_weekdays } else { in_days || in_weekdays };
        day_matches && self.months & (1 << day.month()) != 0
    }

    fn instants(&self, day: NaiveDate, zone: Tz) -> Vec<DateTime<Utc>> {
        let mut instants = Vec::new();
        for hour in (0..24).filter(|h| self.hours & (1 << h) != 0) {
            for minute in (0..60).filter(|m| self.minutes & (1 << m) != 0) {
                let Some(local) = day.and_hms_opt(hour, minute, 0) else { continue };
                match zone.from_local_datetime(&local) {
                    LocalResult::Single(t) => instants.push(t.with_timezone(&Utc)),
                    LocalResult::Ambiguous(first, second) => {
                        instants.push(first.with_timezone(&Utc));
                        if self.any_hour {
                            instants.push(second.with_timezone(&Utc));
                        }
                    }
                    LocalResult::None if self.any_hour => {}
                    LocalResult::None => instants.extend(end_of_gap(local, zone)),
                }
            }
        }
        instants.sort_unstable();
        instants.dedup();
        instants
    }
}

/// The first instant after a gap that swallowed `local`.
fn end_of_gap(local: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    (1..=48 * 60)
        .map(|minutes| local + Duration::minutes(minutes))
        .find_map(|later| zone.from_local_datetime(&later).earliest())
        .map(|t| t.with_timezone(&Utc))
}

fn field(name: &str, text: &str, min: u32, max: u32, names: &[&str], first: u32) -> Result<u64, String> {
    let mut bits = 0;
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(number(name, step)?)),
            None => (part, None),
        };
        if step == Some(0) {
            return Err(format!("{name}: a step of 0"));
        }
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (min, max.min(if name == "day-of-week" { 6 } else { max })),
            Some((from, to)) => (value(name, from, names, first)?, value(name, to, names, first)?),
            None => {
                let one = value(name, range, names, first)?;
                (one, if step.is_some() { max } else { one })
            }
        };
        if from < min || to > max || from > to {
            return Err(format!("{name}: `{part}` is not within {min} to {max}"));
        }
        for n in (from..=to).step_by(step.unwrap_or(1) as usize) {
            bits |= 1 << n;
        }
    }
    Ok(bits)
}

fn value(field: &str, text: &str, names: &[&str], first: u32) -> Result<u32, String> {
    match names.iter().position(|n| n.eq_ignore_ascii_case(text)) {
        Some(at) => Ok(at as u32 + first),
        None => number(field, text),
    }
}

fn number(field: &str, text: &str) -> Result<u32, String> {
    if text.is_empty() || text.len() > 4 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!("{field}: `{}` is not a number", text.chars().take(20).collect::<String>()));
    }
    text.parse().map_err(|_| format!("{field}: `{text}` is not a number"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    fn runs(expression: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
        let cron = Cron::parse(expression).expect("parses");
        let zone: Tz = zone.parse().expect("a zone");
        let mut now = at(from);
        let mut out = Vec::new();
        for _ in 0..count {
            now = cron.next(now, zone).expect("has a next run");
            out.push(now.with_timezone(&zone).format("%F %H:%M %Z").to_string());
        }
        out
    }

    #[test]
    fn weekdays_count_from_sunday_and_seven_is_sunday_too() {
        let want = ["2026-03-01 04:30 UTC", "2026-03-08 04:30 UTC"];
        for expression in ["30 4 * * 0", "30 4 * * 7", "30 4 * * sun", "30 4 * * 7-7"] {
            assert_eq!(runs(expression, "UTC", "2026-02-28T00:00:00Z", 2), want, "{expression}");
        }
        assert_eq!(runs("0 9 * * mon-fri", "UTC", "2026-03-06T10:00:00Z", 1), ["2026-03-09 09:00 UTC"]);
    }

    #[test]
    fn either_day_field_may_match_when_both_are_restricted() {
        assert_eq!(
            runs("0 0 13 * fri", "UTC", "2026-03-01T00:00:00Z", 3),
            ["2026-03-06 00:00 UTC", "2026-03-13 00:00 UTC", "2026-03-20 00:00 UTC"]
        );
    }

    #[test]
    fn a_skipped_time_runs_at_the_end_of_the_gap() {
        assert_eq!(
            runs("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2),
            ["2026-03-29 03:00 CEST", "2026-03-30 02:30 CEST"]
        );
    }

    #[test]
    fn a_repeated_time_runs_once_unless_every_hour_counts() {
        assert_eq!(
            runs("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
            ["2026-10-25 02:30 CEST", "2026-10-26 02:30 CET"]
        );
        assert_eq!(
            runs("0 * * * *", "Europe/Berlin", "2026-10-24T23:30:00Z", 3),
            ["2026-10-25 02:00 CEST", "2026-10-25 02:00 CET", "2026-10-25 03:00 CET"]
        );
    }

    #[test]
    fn a_leap_day_is_found_and_an_impossible_day_is_not() {
        assert_eq!(runs("0 0 29 2 *", "UTC", "2026-03-01T00:00:00Z", 1), ["2028-02-29 00:00 UTC"]);
        assert_eq!(
            Cron::parse("0 0 31 2 *").expect("parses").next(at("2026-01-01T00:00:00Z"), Tz::UTC),
            None
        );
    }

    #[test]
    fn a_bad_expression_names_the_field() {
        for (expression, word) in [
            ("* * * *", "five fields"),
            ("60 * * * *", "minute"),
            ("* 24 * * *", "hour"),
            ("* * 0 * *", "day-of-month"),
            ("* * * 13 *", "month"),
            ("* * * * 8", "day-of-week"),
            ("*/0 * * * *", "minute"),
            ("5-1 * * * *", "minute"),
            ("a * * * *", "minute"),
            ("-1 * * * *", "minute"),
        ] {
            let error = Cron::parse(expression).expect_err(expression);
            assert!(error.contains(word), "{expression}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_parses_or_is_refused(text in ".{0,60}") {
            if let Ok(cron) = Cron::parse(&text) {
                let now = at("2026-01-01T00:00:00Z");
                if let Some(next) = cron.next(now, Tz::America__New_York) { prop_assert!(next > now); }
            }
        }
    }
}
