//! What can go wrong with distribution.

use distribution::publish::PublishError;
use http::StatusCode;
use serde_json::{Map, Value};

use crate::{
    advisories::AdvisoryError, ctx::Forbidden, licensing::LicensingError, problem::SliceError,
    releases::ReleaseError,
};

/// An error of this slice.
#[derive(Debug, thiserror::Error)]
pub enum TufError {
    /// The actor may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// No such thing.
    #[error("There is no such {0}.")]
    NotFound(&'static str),
    /// A field is wrong.
    #[error("{1}")]
    Invalid(&'static str, String),
    /// A key or the root cannot be used.
    #[error("{0}")]
    Keys(String),
    /// Nothing could be signed.
    #[error("nothing could be signed")]
    Publish(#[from] PublishError),
    /// A release, or its download.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// Advisories do not read.
    #[error(transparent)]
    Advisory(#[from] AdvisoryError),
    /// The revocation list does not read.
    #[error(transparent)]
    Licensing(#[from] LicensingError),
    /// A file cannot be read or written.
    #[error("a file cannot be read or written")]
    Storage(#[from] std::io::Error),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sea_orm::DbErr),
}

impl SliceError for TufError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Forbidden(e) => e.status(),
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Invalid(..) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Keys(_) | Self::Publish(_) | Self::Storage(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Release(e) => e.status(),
            Self::Advisory(e) => e.status(),
            Self::Licensing(e) => e.status(),
            Self::Database(e) => e.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(e) => e.code(),
            Self::NotFound(_) => "not_found",
            Self::Invalid(..) => "invalid",
            Self::Keys(_) | Self::Publish(_) => "distribution_keys",
            Self::Storage(_) => "storage",
            Self::Release(e) => e.code(),
            Self::Advisory(e) => e.code(),
            Self::Licensing(e) => e.code(),
            Self::Database(e) => e.code(),
        }
    }

    fn extras(&self) -> Map<String, Value> {
        match self {
            Self::Forbidden(e) => e.extras(),
            Self::Release(e) => e.extras(),
            Self::Invalid(field, _) => Map::from_iter([("field".into(), (*field).into())]),
            _ => Map::new(),
        }
    }
}
