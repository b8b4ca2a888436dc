//! Errors of this slice.

use http::StatusCode;
use plugin_runtime::Refusal;
use serde_json::{Map, Value};

use crate::{ctx::Forbidden, problem::SliceError};

/// Why something about an engine was refused.
#[derive(Debug, thiserror::Error)]
pub enum EngineFault {
    /// The actor may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// No such engine.
    #[error("There is no engine `{0}`.")]
    Unknown(String),
    /// No such stored version.
    #[error("Version {1} of `{0}` is not stored here.")]
    NoVersion(String, String),
    /// The package is refused.
    #[error("{}", .0.message)]
    Refused(Refusal),
    /// Lower than the highest version ever installed.
    #[error(
        "Version {found} of `{engine}` is below {highest}, the highest ever installed. Use rollback to go back on purpose."
    )]
    Downgrade {
        /// Engine.
        engine: String,
        /// The package's version.
        found: String,
        /// The floor.
        highest: String,
    },
    /// The same version with other content.
    #[error(
        "Version {version} of `{engine}` is stored with other content; a published version never changes."
    )]
    VersionReused {
        /// Engine.
        engine: String,
        /// Version.
        version: String,
    },
    /// The package is another one than was listed.
    #[error("The package was listed as {listed}, and is {found}.")]
    OtherThanListed {
        /// What it was listed as.
        listed: String,
        /// What it is.
        found: String,
    },
    /// The engine did not come up.
    #[error("{0}")]
    Failed(String),
    /// Nothing to roll back to.
    #[error("There is no earlier version of `{0}` to go back to.")]
    NothingToRollBack(String),
    /// Purge asks for an export first.
    #[error("Export the data of `{0}` first (POST .../-/export), within the last day; then purge.")]
    ExportFirst(String),
    /// A value is not what is expected.
    #[error("{1}")]
    Invalid(&'static str, String),
    /// The package is larger than allowed.
    #[error("The package is larger than {0} MiB (engines.max_package_mib).")]
    TooLarge(u32),
    /// Files could not be written.
    #[error("the engine store cannot be written")]
    Store(#[from] std::io::Error),
    /// The SQL service failed.
    #[error(transparent)]
    Sql(#[from] plugin_sql::SqlError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sea_orm::DbErr),
}

impl EngineFault {
    /// Stable code, that of the refusal where there is one.
    pub fn reason(&self) -> &str {
        match self {
            Self::Refused(r) => r.code(),
            other => other.code(),
        }
    }
}

impl SliceError for EngineFault {
    fn status(&self) -> StatusCode {
        match self {
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Unknown(_) | Self::NoVersion(..) => StatusCode::NOT_FOUND,
            Self::Refused(_) | Self::Invalid(..) | Self::Failed(_) | Self::OtherThanListed { .. } => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::Downgrade { .. }
            | Self::VersionReused { .. }
            | Self::NothingToRollBack(_)
            | Self::ExportFirst(_) => StatusCode::CONFLICT,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Store(_) | Self::Sql(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Database(e) => e.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(e) => e.code(),
            Self::Unknown(_) => "unknown_engine",
            Self::NoVersion(..) => "unknown_version",
            Self::Refused(_) => "package_refused",
            Self::Downgrade { .. } => "downgrade",
            Self::VersionReused { .. } => "version_reused",
            Self::OtherThanListed { .. } => "other_than_listed",
            Self::Failed(_) => "engine_failed",
            Self::NothingToRollBack(_) => "nothing_to_roll_back",
            Self::ExportFirst(_) => "export_first",
            Self::Invalid(..) => "invalid",
            Self::TooLarge(_) => "body_too_large",
            Self::Store(_) | Self::Sql(_) => "internal",
            Self::Database(e) => e.code(),
        }
    }

    fn extras(&self) -> Map<String, Value> {
        match self {
            Self::Forbidden(e) => e.extras(),
            Self::Invalid(field, _) => Map::from_iter([("field".into(), (*field).into())]),
            other => Map::from_iter([("reason".into(), other.reason().into())]),
        }
    }
}
