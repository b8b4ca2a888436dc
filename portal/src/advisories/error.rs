//! What can go wrong with advisories.

use http::StatusCode;
use serde_json::{Map, Value};

use crate::{ctx::Forbidden, problem::SliceError};

/// An error of this slice.
#[derive(Debug, thiserror::Error)]
pub enum AdvisoryError {
    /// The actor may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// No such thing.
    #[error("There is no such {0}.")]
    NotFound(&'static str),
    /// A field is wrong.
    #[error("{1}")]
    Invalid(&'static str, String),
    /// It was withdrawn.
    #[error("Advisory {0} was withdrawn and stays so; publish a new one.")]
    Withdrawn(String),
    /// A document could not be written.
    #[error("a document could not be written")]
    Document(#[from] serde_json::Error),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sea_orm::DbErr),
}

impl SliceError for AdvisoryError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Forbidden(e) => e.status(),
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Invalid(..) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Withdrawn(_) => StatusCode::CONFLICT,
            Self::Document(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Database(e) => e.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(e) => e.code(),
            Self::NotFound(_) => "not_found",
            Self::Invalid(..) => "invalid",
            Self::Withdrawn(_) => "withdrawn",
            Self::Document(_) => "internal",
            Self::Database(e) => e.code(),
        }
    }

    fn extras(&self) -> Map<String, Value> {
        match self {
            Self::Forbidden(e) => e.extras(),
            Self::Invalid(field, _) => Map::from_iter([("field".into(), (*field).into())]),
            _ => Map::new(),
        }
    }
}
