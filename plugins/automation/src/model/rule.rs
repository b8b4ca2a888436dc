//! When a schedule runs.

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{cron::Cron, limits};

/// Rule of a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Rule {
    /// A cron expression of five fields in a time zone.
    Cron {
        /// E.g. `30 4 * * mon-fri`.
        expression: String,
        /// IANA name, e.g. `Europe/Berlin`; `UTC` when absent.
        #[serde(default = "utc")]
        time_zone: String,
    },
    /// Every so many seconds, counted from an instant.
    Interval {
        /// Seconds, at least 60.
        every_s: u32,
        /// First run; when absent the time the schedule was made.
        #[serde(default)]
        from: Option<DateTime<Utc>>,
    },
    /// Once.
    Once {
        /// When.
        at: DateTime<Utc>,
    },
}

fn utc() -> String {
    "UTC".into()
}

/// What happens when a run is due and the one before has not ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// The due run is left out.
    #[default]
    Skip,
    /// The due run starts when the one before has ended. At most one waits.
    Queue,
}

/// What happens when a run was due while the host was not there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    /// It is left out.
    #[default]
    Skip,
    /// It runs once, as soon as possible, however many were missed.
    RunOnce,
}

impl Overlap {
    /// Name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Queue => "queue",
        }
    }
    /// The policy of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Skip, Self::Queue].into_iter().find(|p| p.name() == name)
    }
}

impl Missed {
    /// Name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::RunOnce => "run_once",
        }
    }
    /// The policy of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Skip, Self::RunOnce].into_iter().find(|p| p.name() == name)
    }
}

/// How late a run may start before it counts as missed, in seconds.
pub const MISSED_AFTER_S: i64 = 300;

impl Rule {
    /// Check the rule and settle its open parts.
    ///
    /// # Errors
    /// A sentence that names the field.
    pub fn check(mut self, now: DateTime<Utc>) -> Result<Self, String> {
        match &mut self {
            Self::Cron { expression, time_zone } => {
                Cron::parse(expression)?;
                parse_zone(time_zone)?;
            }
            Self::Interval { every_s, from } => {
                if !(60..=366 * 86_400).contains(every_s) {
                    return Err("every_s must be 60 to 31622400 seconds".into());
                }
                from.get_or_insert(now);
            }
            Self::Once { .. } => {}
        }
        if self.next(now).is_none() {
            return Err("the rule has no run in the future".into());
        }
        Ok(self)
    }

    /// The first run after `after`.
    pub fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Cron { expression, time_zone } => {
                Cron::parse(expression).ok()?.next(after, parse_zone(time_zone).ok()?)
            }
            Self::Interval { every_s, from } => {
                let from = (*from)?;
                if after < from {
                    return Some(from);
                }
                let every = i64::from((*every_s).max(60));
                let passed = (after - from).num_seconds().div_euclid(every) + 1;
                from.checked_add_signed(Duration::try_seconds(passed.checked_mul(every)?)?)
            }
            Self::Once { at } => (*at > after).then_some(*at),
        }
    }

    /// The next runs after `after`, at most [`limits::PREVIEW`].
    pub fn preview(&self, after: DateTime<Utc>, count: usize) -> Vec<DateTime<Utc>> {
        std::iter::successors(self.next(after), |t| self.next(*t)).take(count.min(limits::PREVIEW)).collect()
    }
}

fn parse_zone(name: &str) -> Result<Tz, String> {
    name.parse().map_err(|_| {
        format!(
            "time_zone: `{}` is not an IANA name such as Europe/Berlin",
            name.chars().take(40).collect::<String>()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    #[test]
    fn an_interval_keeps_its_beat_whenever_asked() {
        let rule = Rule::Interval { every_s: 600, from: Some(at("2026-01-01T00:05:00Z")) };
        assert_eq!(rule.next(at("2026-01-01T00:00:00Z")), Some(at("2026-01-01T00:05:00Z")));
        assert_eq!(rule.next(at("2026-01-01T00:05:00Z")), Some(at("2026-01-01T00:15:00Z")));
        assert_eq!(rule.next(at("2026-01-01T03:07:41Z")), Some(at("2026-01-01T03:15:00Z")));
    }

    #[test]
    fn once_is_once() {
        let rule = Rule::Once { at: at("2026-01-01T00:05:00Z") };
        assert_eq!(rule.preview(at("2026-01-01T00:00:00Z"), 9), [at("2026-01-01T00:05:00Z")]);
        assert_eq!(rule.next(at("2026-01-01T00:05:00Z")), None);
        assert!(rule.check(at("2026-02-01T00:00:00Z")).is_err());
    }

    #[test]
    fn wrong_rules_say_why() {
        let now = at("2026-01-01T00:00:00Z");
        let zone = Rule::Cron { expression: "0 0 * * *".into(), time_zone: "Mars/Olympus".into() };
        assert!(zone.check(now).expect_err("no such zone").contains("Mars/Olympus"));
        assert!(Rule::Interval { every_s: 5, from: None }.check(now).is_err());
        let never = Rule::Cron { expression: "0 0 31 2 *".into(), time_zone: "UTC".into() };
        assert!(never.check(now).expect_err("never").contains("no run"));
    }
}
