//! What can go wrong with releases.

use http::StatusCode;
use plugin_runtime::{Refusal, ReportError};
use serde_json::{Map, Value};

use crate::{ctx::Forbidden, licensing::LicensingError, problem::SliceError};

/// An error of this slice.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// The actor may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// No such thing.
    #[error("There is no such {0}.")]
    NotFound(&'static str),
    /// A field is wrong.
    #[error("{1}")]
    Invalid(&'static str, String),
    /// The package is refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The conformance report is refused.
    #[error("{0}.")]
    Report(#[from] ReportError),
    /// The version lacks something that its channel needs.
    #[error("{1}")]
    NotReady(&'static str, String),
    /// A published version never changes.
    #[error(
        "Version {0} is published with other bytes for {1}. A published version never changes: publish a new one."
    )]
    PublishedOtherwise(semver::Version, String),
    /// The publisher withdrew it.
    #[error("This version was withdrawn: {0}. Download another one.")]
    Yanked(String),
    /// The organisation has no licence for it.
    #[error("{detail}")]
    Unlicensed {
        /// Stable snake_case code.
        code: &'static str,
        /// Why, and what to do.
        detail: String,
        /// The engine.
        engine: String,
    },
    /// The licence is another organisation's.
    #[error("This licence belongs to another organisation.")]
    WrongOrganisation,
    /// Too many downloads run.
    #[error("{0} downloads run already. Wait for one to end.")]
    TooManyDownloads(usize),
    /// Storage failed.
    #[error("the package cannot be read or kept")]
    Storage(#[source] std::io::Error),
    /// A licence does not read.
    #[error(transparent)]
    Licensing(#[from] LicensingError),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sea_orm::DbErr),
}

impl SliceError for ReleaseError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Forbidden(e) => e.status(),
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Invalid(..) | Self::Refused(_) | Self::Report(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NotReady(..) => StatusCode::CONFLICT,
            Self::PublishedOtherwise(..) => StatusCode::CONFLICT,
            Self::Yanked(_) => StatusCode::GONE,
            Self::Unlicensed { .. } => StatusCode::PAYMENT_REQUIRED,
            Self::WrongOrganisation => StatusCode::FORBIDDEN,
            Self::TooManyDownloads(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Storage(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Licensing(e) => e.status(),
            Self::Database(e) => e.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(e) => e.code(),
            Self::NotFound(_) => "not_found",
            Self::Invalid(..) => "invalid",
            Self::Refused(refusal) => refusal.code(),
            Self::Report(_) => "report_refused",
            Self::NotReady(code, _) => code,
            Self::PublishedOtherwise(..) => "published_otherwise",
            Self::Yanked(_) => "yanked",
            Self::Unlicensed { .. } => "license_required",
            Self::WrongOrganisation => "wrong_organisation",
            Self::TooManyDownloads(_) => "too_many_downloads",
            Self::Storage(_) => "storage",
            Self::Licensing(e) => e.code(),
            Self::Database(e) => e.code(),
        }
    }

    fn extras(&self) -> Map<String, Value> {
        match self {
            Self::Forbidden(e) => e.extras(),
            Self::Invalid(field, _) => Map::from_iter([("field".into(), (*field).into())]),
            Self::Unlicensed { code, engine, .. } => {
                Map::from_iter([("reason".into(), (*code).into()), ("engine".into(), engine.as_str().into())])
            }
            Self::TooManyDownloads(_) => Map::from_iter([("retry_after_s".into(), 5.into())]),
            _ => Map::new(),
        }
    }
}
