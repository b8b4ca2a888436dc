//! What can go wrong with licences.

use http::StatusCode;
use license_issuer::SignError;

use crate::{ctx::Forbidden, problem::SliceError};

/// An error of this slice.
#[derive(Debug, thiserror::Error)]
pub enum LicensingError {
    /// The actor may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// No such thing.
    #[error("There is no such {0}.")]
    NotFound(&'static str),
    /// The key cannot be used.
    #[error("the licence could not be signed")]
    Sign(#[from] SignError),
    /// No key for a use is valid at the moment.
    #[error("no configured key signs `{0}` now: see `sysmanage-portal keys list`")]
    NoKey(trust::Usage),
    /// The keys that are configured now are refused, and those in use stay.
    #[error("The keys were not changed: {0}")]
    Keys(String),
    /// A stored edition does not read.
    #[error("edition {1} of licence {0} does not read")]
    Stored(String, i32, #[source] serde_json::Error),
    /// Signing ended early.
    #[error("signing ended early: {0}")]
    Interrupted(String),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sea_orm::DbErr),
}

impl SliceError for LicensingError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Forbidden(e) => e.status(),
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Keys(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Sign(_) | Self::NoKey(_) | Self::Stored(..) | Self::Interrupted(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Self::Database(e) => e.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(e) => e.code(),
            Self::NotFound(_) => "not_found",
            Self::Sign(e) => e.code(),
            Self::NoKey(_) => "no_key",
            Self::Keys(_) => "keys_refused",
            Self::Stored(..) | Self::Interrupted(_) => "internal",
            Self::Database(e) => e.code(),
        }
    }

    fn extras(&self) -> serde_json::Map<String, serde_json::Value> {
        match self {
            Self::Forbidden(e) => e.extras(),
            _ => serde_json::Map::new(),
        }
    }
}
