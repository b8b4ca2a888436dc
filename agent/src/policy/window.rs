//! Maintenance windows in the machine's own time.

use chrono::{DateTime, Datelike, Days, Local, NaiveTime, Timelike, Weekday};
use serde::{Deserialize, Deserializer, de};

/// A weekly window, e.g. `{ days = ["sat", "sun"], from = "22:00", to = "02:00" }`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Days on which it opens; every day when left out.
    #[serde(default, deserialize_with = "days")]
    pub days: Vec<Weekday>,
    /// When it opens, `HH:MM`.
    #[serde(deserialize_with = "time")]
    pub from: NaiveTime,
    /// When it closes; on the next day when it is not after `from`.
    #[serde(deserialize_with = "time")]
    pub to: NaiveTime,
}

impl Window {
    /// Whether it is open at `now`.
    pub fn contains(&self, now: DateTime<Local>) -> bool {
        let time = NaiveTime::from_hms_opt(now.hour(), now.minute(), now.second()).unwrap_or_default();
        let yesterday = now.checked_sub_days(Days::new(1)).unwrap_or(now).weekday();
        if self.from < self.to {
            return self.opens_on(now.weekday()) && time >= self.from && time < self.to;
        }
        (self.opens_on(now.weekday()) && time >= self.from) || (self.opens_on(yesterday) && time < self.to)
    }

    fn opens_on(&self, day: Weekday) -> bool {
        self.days.is_empty() || self.days.contains(&day)
    }
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveTime, D::Error> {
    let text = String::deserialize(deserializer)?;
    NaiveTime::parse_from_str(&text, "%H:%M").map_err(|_| de::Error::custom("a time is written HH:MM"))
}

fn days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Weekday>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    names
        .iter()
        .map(|name| name.parse().map_err(|_| de::Error::custom(format!("`{name}` is not a day of the week"))))
        .collect()
}
