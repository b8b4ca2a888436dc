//! What can go wrong with metrics.

use http::StatusCode;
use serde_json::{Map, Value};

use super::block::Damaged;
use crate::{ctx::Forbidden, problem::SliceError};

/// An error of the metrics slice.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// The actor may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The machine is not there or not visible.
    #[error("There is no such machine, or you may not see it.")]
    NotFound,
    /// A parameter is wrong.
    #[error("{detail}")]
    Invalid {
        /// The parameter.
        field: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// A block cannot be read.
    #[error(transparent)]
    Damaged(#[from] Damaged),
    /// A block cannot be packed.
    #[error("metrics cannot be packed")]
    Pack(#[from] std::io::Error),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sea_orm::DbErr),
}

impl SliceError for MetricsError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Invalid { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Damaged(_) | Self::Pack(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Database(e) => SliceError::status(e),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "forbidden",
            Self::NotFound => "not_found",
            Self::Invalid { .. } => "invalid",
            Self::Damaged(_) | Self::Pack(_) => "internal",
            Self::Database(e) => e.code(),
        }
    }

    fn extras(&self) -> Map<String, Value> {
        match self {
            Self::Forbidden(e) => e.extras(),
            Self::Invalid { field, .. } => Map::from_iter([("field".into(), (*field).into())]),
            _ => Map::new(),
        }
    }
}
