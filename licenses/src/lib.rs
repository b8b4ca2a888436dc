//! Licence tokens: read, verify, decide what they grant, and explain it. This crate cannot sign them.
//!
//! A licence is a compact JWS ([`License::verify`]). A host keeps all that it has in a [`LicenseSet`], and asks [`decide`],
//! the one place where an [`Entitlement`] comes from, whenever a licence, the clock or a revocation list has changed.
//!
//! ```
//! use chrono::{DateTime, Utc};
//! use licenses::{Circumstances, ClockFloor, EngineBuild, LicenseSet, decide};
//! use trust::TrustStore;
//!
//! let store = TrustStore::built_in();
//! let licenses = LicenseSet::default();
//! let decision = decide(
//!     &EngineBuild::new("automation_engine", "1.0.0".parse().unwrap(), DateTime::UNIX_EPOCH),
//!     &Circumstances {
//!         licenses: &licenses,
//!         revocations: store.revocations(),
//!         now: Utc::now(),
//!         floor: &ClockFloor::default(),
//!         instance: None,
//!         last_contact: None,
//!     },
//! );
//! assert_eq!(decision.code(), "no_license");
//! ```
//!
//! # What a licence grants, and for how long
//!
//! In this order; the first that applies decides.
//!
//! 1. It does not name the engine: locked, `engine_not_included`. The tier is for display and grants nothing.
//! 2. It, or a certificate in its chain, was revoked: locked, `revoked`.
//! 3. It is bound to another host instance: locked, `wrong_instance`.
//! 4. It names the engine for other versions: locked, `version_not_included`. A pre-release counts as its release.
//! 5. Before `nbf`: locked, `not_yet_valid`.
//! 6. It says `offline_days`, and the portal was last heard that long ago: read-only, `offline_too_long`.
//! 7. **Perpetual fallback.** A build made no later than `support_until` is granted, whatever `exp` says, for ever. Trials
//!    have no fallback. The fallback waives `exp` and nothing else.
//! 8. Without `exp`, a build made after `support_until`: locked, `version_not_included` (an older build would be granted).
//! 9. Until `exp` granted; then `grace_days` of grace, all still working; then read-only, `expired`, for ever: reading and
//!    export go on, nothing is destroyed, and a renewal restores everything.
//!
//! With several licences the most generous answer holds.
//!
//! # Time
//!
//! Decisions are made at the greater of the clock and the [`ClockFloor`], the latest time that was ever seen. Setting the
//! clock back therefore gains nothing, and where it makes the difference the decision's code is `clock_set_back`.

mod claims;
mod clock;
mod decide;
mod entitlement;
mod error;
mod explain;
mod host_proof;
mod instance;
mod instance_request;
mod limits;
pub mod receipt;
mod set;
mod token;
mod words;

pub use claims::{Claims, EngineGrant};
pub use clock::ClockFloor;
pub use decide::{Circumstances, ClockSetBack, Decision, EngineBuild, decide};
pub use entitlement::{Entitlement, LockReason, ReadOnlyReason};
pub use error::{Error, ProofError};
pub use explain::{EngineExplanation, Explanation, LicenseSummary, NextChange, explain};
pub use host_proof::{HostProof, SignedRequest};
pub use instance::{InstanceKey, ProofParts, verify_proof};
pub use instance_request::InstanceRequest;
pub use limits::{LimitReached, Limits, MachineKind};
pub use set::{Installed, LicenseSet};
pub use token::{License, UnverifiedToken, signing_input};
