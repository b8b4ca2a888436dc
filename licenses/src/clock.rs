//! The floor of time: the latest moment that was ever seen.

use crate::License;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The greatest time seen, from every source. It never falls, so setting the clock back gains nothing. The host stores it
/// (as JSON) whenever it has risen by some minutes, and at shutdown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockFloor {
    /// Latest date in something that the vendor signed.
    signed: Option<DateTime<Utc>>,
    /// Latest time that this host's own clock or records told.
    observed: Option<DateTime<Utc>>,
    /// Records up to this time were written by a clock that ran ahead, and say nothing.
    #[serde(default)]
    void_until: Option<DateTime<Utc>>,
    /// `iat` of the licence that last reset the floor: each does it once.
    #[serde(default)]
    reset_by: Option<DateTime<Utc>>,
}

impl ClockFloor {
    /// The floor itself; absent when nothing was ever seen.
    pub fn at(&self) -> Option<DateTime<Utc>> {
        self.signed.max(self.observed)
    }

    /// The time that counts when the clock says `now`.
    pub fn effective(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.at().map_or(now, |floor| floor.max(now))
    }

    /// The host is running, and its clock says so: call it at start, every few minutes, and at shutdown.
    pub fn observe_run(&mut self, now: DateTime<Utc>) {
        self.observed = self.observed.max(Some(now));
    }

    /// The newest record in the host's database is of this time: call it at start.
    pub fn observe_record(&mut self, at: DateTime<Utc>) {
        if self.void_until.is_none_or(|void| at > void) {
            self.observed = self.observed.max(Some(at));
        }
    }

    /// Something signed is of this time: an answer of the portal, a revocation list.
    pub fn observe_signed(&mut self, at: DateTime<Utc>) {
        self.signed = self.signed.max(Some(at));
    }

    /// Learn from a licence: its `iat` has been reached. When it says `resets_clock` (the vendor's remedy for a clock that
    /// once ran years ahead), the times this host observed itself are forgotten, once for each such licence. That gains
    /// nothing: the vendor wrote the true time into `iat`. A third party's licence teaches nothing, for its date could stop
    /// the engines of all others; for its own engines [`crate::decide`] minds it.
    pub fn learn(&mut self, license: &License) {
        if !license.signer().realm.is_vendor() {
            return;
        }
        let claims = license.claims();
        if claims.resets_clock && self.reset_by.is_none_or(|by| claims.iat > by) {
            self.void_until = self.void_until.max(self.observed);
            self.observed = None;
            self.reset_by = Some(claims.iat);
        }
        self.observe_signed(claims.iat);
    }
}
