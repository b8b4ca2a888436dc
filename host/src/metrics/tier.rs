//! Tiers of history: how fine, how long, and how much of it is one row.

/// How fine history is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// A value a minute, for two days.
    Minute,
    /// A value for five minutes, for thirty days.
    FiveMinutes,
    /// A value an hour, for two years.
    Hour,
}

impl Tier {
    /// Finest first.
    pub const ALL: [Self; 3] = [Self::Minute, Self::FiveMinutes, Self::Hour];

    /// Number in the database.
    pub fn number(self) -> i32 {
        self as i32
    }

    /// Seconds of one value.
    pub fn step_s(self) -> i64 {
        match self {
            Self::Minute => 60,
            Self::FiveMinutes => 300,
            Self::Hour => 3600,
        }
    }

    /// Seconds of one row.
    pub fn block_s(self) -> i64 {
        match self {
            Self::Minute => 3600,
            Self::FiveMinutes => 86_400,
            Self::Hour => 30 * 86_400,
        }
    }

    /// Seconds that are kept.
    pub fn keep_s(self) -> i64 {
        match self {
            Self::Minute => 48 * 3600,
            Self::FiveMinutes => 30 * 86_400,
            Self::Hour => 730 * 86_400,
        }
    }

    /// The finest tier that reaches back to `from_s` and needs at most `points` values until `to_s`.
    pub fn for_range(from_s: i64, to_s: i64, now_s: i64, points: usize) -> Self {
        let fits = |tier: &Self| {
            let values = (to_s - from_s) / tier.step_s();
            now_s - from_s <= tier.keep_s() && values <= i64::try_from(points).unwrap_or(i64::MAX)
        };
        let reaches = |tier: &Self| now_s - from_s <= tier.keep_s();
        let coarsest = Self::ALL.into_iter().rfind(reaches).unwrap_or(Self::Hour);
        Self::ALL.into_iter().find(fits).unwrap_or(coarsest)
    }
}
