//! What a licence says.

use chrono::{DateTime, Duration, Utc};
use semver::VersionReq;
use serde::{Deserialize, Serialize};
use trust::KeyId;

/// One engine that a licence names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineGrant {
    /// The engine's id.
    pub id: String,
    /// The versions it is granted for.
    pub versions: VersionReq,
}

/// The claims of a licence token. Dates are seconds since the Unix epoch, as in every JWT. Claims that this version does not
/// know are ignored, so a claim that must not be ignored comes with a new [`Claims::FORMAT`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Format of these claims.
    #[serde(rename = "v")]
    pub format: u32,
    /// Unique for ever, and kept by renewals: the renewal with the newest `iat` is in force.
    pub id: String,
    /// Customer number.
    pub customer: String,
    /// Organisation, for display.
    pub organisation: String,
    /// Tier, for display: it grants nothing.
    pub tier: String,
    /// The engines that are granted.
    pub engines: Vec<EngineGrant>,
    /// Most machines that may be approved; absent for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosts: Option<u64>,
    /// Most virtual machines and containers on them; absent for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub child_hosts: Option<u64>,
    /// When it was issued.
    #[serde(with = "chrono::serde::ts_seconds")]
    pub iat: DateTime<Utc>,
    /// First moment it grants anything.
    #[serde(with = "chrono::serde::ts_seconds")]
    pub nbf: DateTime<Utc>,
    /// End of the term; absent for a licence without end.
    #[serde(default, with = "chrono::serde::ts_seconds_option", skip_serializing_if = "Option::is_none")]
    pub exp: Option<DateTime<Utc>>,
    /// Days after `exp` in which everything still works.
    #[serde(default)]
    pub grace_days: u16,
    /// Days that the host may be without contact to the portal; absent for any time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offline_days: Option<u16>,
    /// Builds made up to this moment keep working for ever (perpetual fallback).
    #[serde(default, with = "chrono::serde::ts_seconds_option", skip_serializing_if = "Option::is_none")]
    pub support_until: Option<DateTime<Utc>>,
    /// Id of the host instance's public key, when the licence is for that host only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<KeyId>,
    /// A trial: it has no perpetual fallback.
    #[serde(default)]
    pub trial: bool,
    /// Installing it makes the host forget times that it saw by its own clock (a clock that once ran years ahead): the floor
    /// becomes `iat`. See [`crate::ClockFloor::learn`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resets_clock: bool,
}

impl Claims {
    /// The format that this version writes and reads.
    pub const FORMAT: u32 = 1;
    /// Most engines in one licence.
    pub const MAX_ENGINES: usize = 256;
    /// Longest text in a licence, in bytes.
    pub const MAX_TEXT: usize = 200;

    /// When grace ends: `exp` and `grace_days`.
    pub fn grace_until(&self) -> Option<DateTime<Utc>> {
        self.exp.map(|exp| add_days(exp, self.grace_days))
    }

    /// The engines named, with the given id.
    pub fn grants_of<'a>(&'a self, engine: &'a str) -> impl Iterator<Item = &'a EngineGrant> {
        self.engines.iter().filter(move |grant| grant.id == engine)
    }

    /// What makes these claims nonsense, if anything does.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let texts = [&self.id, &self.customer, &self.organisation, &self.tier];
        if self.id.is_empty() || texts.iter().any(|text| text.len() > Self::MAX_TEXT) {
            return Some("id, customer, organisation or tier of a wrong length");
        }
        if self.engines.is_empty() || self.engines.len() > Self::MAX_ENGINES {
            return Some("1 to 256 engines are allowed");
        }
        if self.engines.iter().any(|grant| !trust::is_engine_id(&grant.id)) {
            return Some("an engine id is not one");
        }
        if self.exp.is_some_and(|exp| exp <= self.nbf) {
            return Some("it ends before it begins");
        }
        None
    }
}

/// `days` after `at`; the end of time where there is no such date.
pub(crate) fn add_days(at: DateTime<Utc>, days: u16) -> DateTime<Utc> {
    at.checked_add_signed(Duration::days(days.into())).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
