//! What can go wrong with software and updates.

use http::StatusCode;
use serde_json::{Map, Value};

use crate::{ctx::Forbidden, machines::MachineError, problem::SliceError};

/// An error of the software slice.
#[derive(Debug, thiserror::Error)]
pub enum SoftwareError {
    /// The actor may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// No such title or update, or on no machine one may see.
    #[error("There is no such {0}, or you may not see it.")]
    NotFound(&'static str),
    /// The machine cannot be looked at.
    #[error(transparent)]
    Machine(#[from] MachineError),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sea_orm::DbErr),
}

impl SliceError for SoftwareError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Machine(e) => e.status(),
            Self::Database(e) => SliceError::status(e),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "forbidden",
            Self::NotFound(_) => "not_found",
            Self::Machine(e) => e.code(),
            Self::Database(e) => e.code(),
        }
    }

    fn extras(&self) -> Map<String, Value> {
        match self {
            Self::Forbidden(e) => e.extras(),
            Self::Machine(e) => e.extras(),
            _ => Map::new(),
        }
    }
}
