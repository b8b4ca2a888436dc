//! What can go wrong with saved searches.

use http::StatusCode;
use serde_json::{Map, Value};

use crate::{
    ctx::Forbidden,
    problem::SliceError,
    selector::{SelectorError, Unusable},
};

/// An error of the searches slice.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The actor may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// No such search, or not visible.
    #[error("There is no such saved search, or you may not see it.")]
    NotFound,
    /// A field is wrong.
    #[error("{detail}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// The selector does not parse, or names searches that it may not.
    #[error(transparent)]
    Selector(#[from] SelectorError),
    /// The search would lead back to itself, or become too big.
    #[error("The search cannot be saved: {0}.")]
    Unusable(#[from] Unusable),
    /// The name is taken, perhaps by a private search of somebody else.
    #[error("The name `{0}` is taken. Choose another.")]
    NameTaken(String),
    /// Something still uses it.
    #[error("The search is used by {}. Change these first.", .0.join(", "))]
    InUse(Vec<String>),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sea_orm::DbErr),
}

impl SliceError for SearchError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Invalid { .. } | Self::Unusable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Selector(e) => e.status(),
            Self::NameTaken(_) | Self::InUse(_) => StatusCode::CONFLICT,
            Self::Database(e) => SliceError::status(e),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "forbidden",
            Self::NotFound => "not_found",
            Self::Invalid { .. } => "invalid",
            Self::Selector(e) => e.code(),
            Self::Unusable(Unusable::Cycle(_)) => "search_cycle",
            Self::Unusable(_) => "search_unusable",
            Self::NameTaken(_) => "name_taken",
            Self::InUse(_) => "search_in_use",
            Self::Database(e) => e.code(),
        }
    }

    fn extras(&self) -> Map<String, Value> {
        match self {
            Self::Forbidden(e) => e.extras(),
            Self::Selector(e) => e.extras(),
            Self::Invalid { field, .. } => Map::from_iter([("field".into(), (*field).into())]),
            Self::InUse(by) => Map::from_iter([("used_by".into(), by.clone().into())]),
            _ => Map::new(),
        }
    }
}
