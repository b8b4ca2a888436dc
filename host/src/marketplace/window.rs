//! The window in which updates may be installed: days and times by the host's local time. Pure.

use chrono::{
    DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc, Weekday,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WeekDay)]
#[allow(missing_docs)]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Day {
    fn is(self, day: Weekday) -> bool {
        self as u32 == day.num_days_from_monday()
    }
}

/// When updates may be installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MaintenanceWindow)]
pub struct Window {
    /// Days on which it begins.
    pub days: Vec<Day>,
    /// Its beginning, `HH:MM` by the host's local time.
    #[serde(with = "clock_time")]
    #[schema(value_type = String, example = "02:00")]
    pub from: NaiveTime,
    /// Its end, `HH:MM`; no later than the beginning means on the next day.
    #[serde(with = "clock_time")]
    #[schema(value_type = String, example = "04:00")]
    pub to: NaiveTime,
}

mod clock_time {
    use chrono::NaiveTime;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(time: &NaiveTime, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(&time.format("%H:%M"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<NaiveTime, D::Error> {
        let text = String::deserialize(from)?;
        let wrong = || D::Error::custom(format!("`{text}` is no time: write it as 02:30"));
        // chrono would take `2:3` too, and show another text than was sent.
        let whole = text.len() == 5;
        NaiveTime::parse_from_str(&text, "%H:%M").ok().filter(|_| whole).ok_or_else(wrong)
    }
}

/// A stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = WindowSpan)]
pub struct Span {
    /// Its beginning.
    pub from: DateTime<Utc>,
    /// Its end.
    pub to: DateTime<Utc>,
}

impl Window {
    /// Whether `now` is within it.
    pub fn contains<Z: TimeZone>(&self, now: DateTime<Utc>, zone: &Z) -> bool {
        self.around(now, zone).any(|span| span.from <= now && now < span.to)
    }

    /// The one that is open at `now`, or the next.
    pub fn next<Z: TimeZone>(&self, now: DateTime<Utc>, zone: &Z) -> Option<Span> {
        self.around(now, zone).find(|span| now < span.to)
    }

    /// Every opening from the day before `now` to eight days on, in order.
    fn around<'a, Z: TimeZone>(&'a self, now: DateTime<Utc>, zone: &'a Z) -> impl Iterator<Item = Span> + 'a {
        let today = now.with_timezone(zone).date_naive();
        let first = today.checked_sub_days(Days::new(1)).unwrap_or(today);
        first.iter_days().take(10).filter(|day| self.days.iter().any(|d| d.is(day.weekday()))).filter_map(
            move |day| {
                let span = Span { from: instant(zone, day.and_time(self.from))?, to: self.end(zone, day)? };
                // A clock that is put back may make an end come before its beginning.
                (span.from < span.to).then_some(span)
            },
        )
    }

    fn end<Z: TimeZone>(&self, zone: &Z, day: NaiveDate) -> Option<DateTime<Utc>> {
        let day = if self.to <= self.from { day.succ_opt()? } else { day };
        instant(zone, day.and_time(self.to))
    }
}

/// The first instant at which the local clock says `at`; where it skips that hour, the instant after the gap.
fn instant<Z: TimeZone>(zone: &Z, at: NaiveDateTime) -> Option<DateTime<Utc>> {
    let found = |at: NaiveDateTime| zone.from_local_datetime(&at).earliest().map(|t| t.with_timezone(&Utc));
    (0..=8).find_map(|quarters| found(at.checked_add_signed(TimeDelta::minutes(15 * quarters))?))
}

#[cfg(test)]
mod tests {
    use chrono::{FixedOffset, Timelike};
    use proptest::prelude::*;

    use super::*;

    const ALL: [Day; 7] = [Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri, Day::Sat, Day::Sun];

    fn window(days: &[Day], from: (u32, u32), to: (u32, u32)) -> Window {
        let time = |(h, m)| NaiveTime::from_hms_opt(h, m, 0).expect("a time");
        Window { days: days.into(), from: time(from), to: time(to) }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    #[test]
    fn a_window_past_midnight_belongs_to_the_day_on_which_it_begins() {
        let night = window(&[Day::Fri], (23, 0), (2, 0));
        let utc = Utc;
        // 2026-11-27 is a Friday.
        assert!(!night.contains(at("2026-11-27T22:59:59Z"), &utc));
        assert!(night.contains(at("2026-11-27T23:00:00Z"), &utc));
        assert!(night.contains(at("2026-11-28T01:59:59Z"), &utc));
        assert!(!night.contains(at("2026-11-28T02:00:00Z"), &utc));
        assert!(!night.contains(at("2026-11-28T23:30:00Z"), &utc));
        let next = night.next(at("2026-11-28T02:00:00Z"), &utc).expect("next week");
        assert_eq!(next.from, at("2026-12-04T23:00:00Z"));
    }

    #[test]
    fn times_are_those_of_the_hosts_zone() {
        let zone = FixedOffset::east_opt(2 * 3600).expect("a zone");
        let early = window(&[Day::Sat], (0, 0), (1, 0));
        assert!(early.contains(at("2026-11-27T22:30:00Z"), &zone), "Saturday there, Friday here");
        assert!(!early.contains(at("2026-11-28T00:30:00Z"), &zone));
    }

    #[test]
    fn equal_times_are_a_whole_day_and_no_days_are_never() {
        let day = window(&[Day::Sat], (6, 0), (6, 0));
        assert!(day.contains(at("2026-11-28T06:00:00Z"), &Utc));
        assert!(day.contains(at("2026-11-29T05:59:00Z"), &Utc));
        assert!(window(&[], (0, 0), (0, 0)).next(at("2026-11-28T06:00:00Z"), &Utc).is_none());
    }

    #[test]
    fn a_time_is_written_with_two_digits_each() {
        let read = |text: &str| {
            serde_json::from_value::<Window>(serde_json::json!({
            "days": ["mon"], "from": text, "to": "04:00"}))
        };
        assert_eq!(read("02:30").expect("a time").from.hour(), 2);
        for wrong in ["2:30", "24:00", "02:60", "02:30:00", "noon", ""] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn the_next_window_is_the_one_that_is_open_or_lies_ahead(
            seconds in 1_700_000_000i64..2_000_000_000,
            days in proptest::sample::subsequence(ALL.to_vec(), 1..=7),
            (from, to) in ((0u32..24, 0u32..60), (0u32..24, 0u32..60)),
            hours in -12i32..=14,
        ) {
            let now = DateTime::from_timestamp(seconds, 0).expect("an instant");
            let zone = FixedOffset::east_opt(hours * 3600).expect("a zone");
            let window = window(&days, from, to);
            let next = window.next(now, &zone).expect("a day is named");
            prop_assert!(now < next.to);
            prop_assert_eq!(window.contains(now, &zone), next.from <= now);
            prop_assert!(next.from - now < TimeDelta::days(8));
            prop_assert!(next.to - next.from <= TimeDelta::days(1));
            prop_assert!(window.contains(next.from, &zone));
            let local = next.from.with_timezone(&zone);
            prop_assert!(days.iter().any(|d| d.is(local.weekday())));
            prop_assert_eq!((local.hour(), local.minute()), from);
        }
    }
}
