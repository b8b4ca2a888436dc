//! What is asked and answered about figures.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A figure over one step of time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Point {
    /// How many readings it is made of.
    pub count: u32,
    /// The least.
    pub min: f32,
    /// The mean.
    pub avg: f32,
    /// The greatest.
    pub max: f32,
}

impl Point {
    /// Of one reading.
    pub fn of(value: f64) -> Self {
        let value = value as f32;
        Self { count: 1, min: value, avg: value, max: value }
    }

    /// Of both.
    pub fn and(self, other: Self) -> Self {
        let count = self.count.saturating_add(other.count).max(1);
        let sum = f64::from(self.avg) * f64::from(self.count) + f64::from(other.avg) * f64::from(other.count);
        Self {
            count,
            min: self.min.min(other.min),
            avg: (sum / f64::from(count)) as f32,
            max: self.max.max(other.max),
        }
    }
}

/// A figure that machines report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Figure {
    /// Its name. Figures of a part carry the part: `disk.used_percent{/home}`.
    pub name: &'static str,
    /// `percent`, `bytes`, `bytes_per_second`, `seconds`, `celsius` or `count`.
    pub unit: &'static str,
    /// What it tells.
    pub description: &'static str,
    /// Whether machines can be ranked by it.
    pub ranked: bool,
}

/// Figures of a machine over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct History {
    /// Seconds of one point.
    pub step_s: i64,
    /// When each point begins, in seconds since 1970.
    pub at: Vec<i64>,
    /// One for each figure.
    pub series: Vec<SeriesHistory>,
}

/// One figure over time; `null` where nothing was reported.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SeriesHistory {
    /// The figure.
    pub name: String,
    /// Least values.
    pub min: Vec<Option<f32>>,
    /// Means.
    pub avg: Vec<Option<f32>>,
    /// Greatest values.
    pub max: Vec<Option<f32>>,
}

/// The newest values of a figure across machines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Summary {
    /// Machines that reported it.
    pub machines: i64,
    /// Mean.
    pub mean: f64,
    /// Least.
    pub min: f64,
    /// Median.
    pub p50: f64,
    /// 95 of a hundred machines have at most this.
    pub p95: f64,
    /// Greatest.
    pub max: f64,
}

/// A machine and its newest value of a figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TopMachine {
    /// The machine.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// The value.
    pub value: f64,
    /// When it was read.
    pub at: DateTime<Utc>,
}
