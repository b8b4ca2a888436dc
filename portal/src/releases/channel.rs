//! Channels: how much a release has been tried.

use serde::{Deserialize, Serialize};

/// A channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// For everybody.
    Stable,
    /// To try what comes.
    Beta,
    /// Kept for long, with repairs only.
    Lts,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 3] = [Self::Stable, Self::Beta, Self::Lts];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Beta => "beta",
            Self::Lts => "lts",
        }
    }

    /// The channel of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }
}
