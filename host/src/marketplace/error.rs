//! Errors of this slice.

use http::StatusCode;
use serde_json::{Map, Value};

use super::SourceError;
use crate::{ctx::Forbidden, engines::EngineFault, problem::SliceError};

/// Why something about the marketplace was refused.
#[derive(Debug, thiserror::Error)]
pub enum MarketplaceError {
    /// The actor may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// A field is wrong.
    #[error("{1}")]
    Invalid(&'static str, String),
    /// There is no portal.
    #[error("No portal is configured. Set marketplace.url, or import a bundle.")]
    NotConfigured,
    /// The portal does not list it.
    #[error("The portal lists no engine `{0}`. Look again with `sysmanage marketplace refresh`.")]
    UnknownEngine(String),
    /// The portal does not list the version.
    #[error("The portal lists no version {1} of `{0}`.")]
    UnknownVersion(String, String),
    /// No version suits.
    #[error("No version of `{engine}` suits this host: {why}")]
    NoneSuits {
        /// Engine.
        engine: String,
        /// Why not the newest.
        why: String,
    },
    /// It does not run here.
    #[error("Version {version} of `{engine}` does not run here: {why}")]
    Incompatible {
        /// Engine.
        engine: String,
        /// Version.
        version: String,
        /// Why.
        why: String,
    },
    /// The licence does not allow it.
    #[error("The licence does not allow `{engine}` {version}: {reason}. {unlocks}")]
    LicenseRequired {
        /// Engine.
        engine: String,
        /// Version.
        version: String,
        /// Code of the licence's decision.
        reason: String,
        /// What would help.
        unlocks: String,
    },
    /// A lower version than the highest ever installed.
    #[error(
        "Version {version} of `{engine}` is below {highest}, the highest ever installed. Use rollback to go back on purpose."
    )]
    Downgrade {
        /// Engine.
        engine: String,
        /// Version.
        version: String,
        /// The floor.
        highest: String,
    },
    /// It is in use.
    #[error("Version {1} of `{0}` is in use already.")]
    InUse(String, String),
    /// Another version of it is on its way.
    #[error("Version {1} of `{0}` is being downloaded; wait for its end.")]
    Busy(String, String),
    /// Too many at once.
    #[error("At most {0} downloads wait at once.")]
    TooMany(usize),
    /// The source failed.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The engines slice refused.
    #[error(transparent)]
    Engine(#[from] EngineFault),
    /// Files could not be written.
    #[error("the engine store cannot be written")]
    Store(#[from] std::io::Error),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sea_orm::DbErr),
}

impl MarketplaceError {
    /// Stable code, that of the cause where there is one.
    pub fn reason(&self) -> &str {
        match self {
            Self::Source(e) => e.reason.as_deref().unwrap_or(&e.code),
            Self::Engine(e) => e.reason(),
            other => other.code(),
        }
    }
}

impl SliceError for MarketplaceError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Invalid(..) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::UnknownEngine(_) | Self::UnknownVersion(..) => StatusCode::NOT_FOUND,
            Self::NotConfigured
            | Self::NoneSuits { .. }
            | Self::Incompatible { .. }
            | Self::Downgrade { .. }
            | Self::InUse(..)
            | Self::Busy(..) => StatusCode::CONFLICT,
            Self::LicenseRequired { .. } => StatusCode::PAYMENT_REQUIRED,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Source(e) if e.code == "bundle_refused" => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Source(e) if matches!(e.code.as_str(), "disk_full" | "store_failed") => {
                StatusCode::INSUFFICIENT_STORAGE
            }
            Self::Source(_) => StatusCode::BAD_GATEWAY,
            Self::Engine(e) => e.status(),
            Self::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Database(e) => e.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(e) => e.code(),
            Self::Invalid(..) => "invalid",
            Self::NotConfigured => "not_configured",
            Self::UnknownEngine(_) => "unknown_engine",
            Self::UnknownVersion(..) => "unknown_version",
            Self::NoneSuits { .. } => "no_version_suits",
            Self::Incompatible { .. } => "incompatible",
            Self::LicenseRequired { .. } => "license_required",
            Self::Downgrade { .. } => "downgrade",
            Self::InUse(..) => "in_use",
            Self::Busy(..) => "download_runs",
            Self::TooMany(_) => "too_many_downloads",
            Self::Source(e) if e.code == "bundle_refused" => "bundle_refused",
            Self::Source(e) if matches!(e.code.as_str(), "disk_full" | "store_failed") => "store_failed",
            Self::Source(_) => "portal_failed",
            Self::Engine(e) => e.code(),
            Self::Store(_) => "internal",
            Self::Database(e) => e.code(),
        }
    }

    fn extras(&self) -> Map<String, Value> {
        match self {
            Self::Forbidden(e) => e.extras(),
            Self::Invalid(field, _) => Map::from_iter([("field".into(), (*field).into())]),
            Self::LicenseRequired { engine, reason, unlocks, .. } => Map::from_iter([
                ("engine".into(), engine.as_str().into()),
                ("reason".into(), reason.as_str().into()),
                ("unlocks".into(), unlocks.as_str().into()),
            ]),
            Self::Source(e) => {
                Map::from_iter([("reason".into(), e.reason.clone().unwrap_or_else(|| e.code.clone()).into())])
            }
            Self::Engine(e) => e.extras(),
            _ => Map::new(),
        }
    }
}
