//! Errors of this slice.

use http::StatusCode;
use serde_json::{Map, Value};

use crate::{ctx::Forbidden, problem::SliceError};

/// Why something about the licence was refused.
#[derive(Debug, thiserror::Error)]
pub enum LicenseError {
    /// The actor may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The token is refused.
    #[error("The licence is refused: {0}.")]
    Refused(#[from] licenses::Error),
    /// The revocation list or root is refused.
    #[error("The document is refused: {0}.")]
    Untrusted(#[from] trust::Error),
    /// No licence with such an id.
    #[error("There is no licence `{0}`.")]
    NotFound(String),
    /// No root with such a name.
    #[error("There is no third-party root `{0}`.")]
    NoRoot(String),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sea_orm::DbErr),
}

impl SliceError for LicenseError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Refused(_) | Self::Untrusted(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NotFound(_) | Self::NoRoot(_) => StatusCode::NOT_FOUND,
            Self::Database(e) => e.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(e) => e.code(),
            Self::Refused(_) => "license_refused",
            Self::Untrusted(_) => "document_refused",
            Self::NotFound(_) | Self::NoRoot(_) => "not_found",
            Self::Database(e) => e.code(),
        }
    }

    fn extras(&self) -> Map<String, Value> {
        match self {
            Self::Refused(e) => Map::from_iter([("reason".into(), e.code().into())]),
            Self::Untrusted(e) => Map::from_iter([("reason".into(), e.code().into())]),
            Self::Forbidden(e) => e.extras(),
            _ => Map::new(),
        }
    }
}
