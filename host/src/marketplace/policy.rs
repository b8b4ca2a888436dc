//! What the host does by itself: which channel it follows, whether it tells of updates or installs them, and when.

use chrono::{DateTime, TimeZone, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Channel,
    window::{Span, Window},
};

/// What is done about updates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpdateMode {
    /// Nothing: the portal is asked only when somebody says so.
    Off,
    /// People are told.
    #[default]
    Notify,
    /// They are installed, within the window.
    Install,
}

/// What the host does by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MarketplacePolicy {
    /// Which versions are offered.
    #[serde(default)]
    pub channel: Channel,
    /// What is done about updates.
    #[serde(default)]
    pub mode: UpdateMode,
    /// When updates may be installed by themselves; absent for any time.
    #[serde(default)]
    pub window: Option<Window>,
    /// Whether the portal is told every day which engines run and how many machines there are, and asked for a newer
    /// edition of the licence.
    #[serde(default)]
    pub contact: bool,
}

impl MarketplacePolicy {
    /// What makes it nonsense: the field and why.
    pub(super) fn fault(&self) -> Option<(&'static str, &'static str)> {
        let days = self.window.as_ref()?;
        days.days.is_empty().then_some(("window", "A window needs at least one day."))
    }

    /// Whether an update may be installed by itself at `now`.
    pub(super) fn installs_at<Z: TimeZone>(&self, now: DateTime<Utc>, zone: &Z) -> bool {
        self.mode == UpdateMode::Install && self.window.as_ref().is_none_or(|w| w.contains(now, zone))
    }

    /// The window that is open or comes next, where updates install themselves.
    pub(super) fn next_window<Z: TimeZone>(&self, now: DateTime<Utc>, zone: &Z) -> Option<Span> {
        self.window.as_ref().filter(|_| self.mode == UpdateMode::Install)?.next(now, zone)
    }
}
