//! What can go wrong with operations.

use http::StatusCode;
use serde_json::{Map, Value};

use crate::{ctx::Forbidden, problem::SliceError};

/// An error of the operations slice.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// The actor may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// No such operation or task, or not visible.
    #[error("There is no such {0}, or you may not see it.")]
    NotFound(&'static str),
    /// A field is wrong.
    #[error("{detail}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// Nothing to run on.
    #[error("No approved machine that you may see is selected.")]
    NoMachines,
    /// Some machines are not there, not approved or not visible.
    #[error("Some of the machines are not approved, or you may not see them.")]
    UnknownMachines(Vec<uuid::Uuid>),
    /// The idempotency key belongs to another command.
    #[error("The idempotency key was used for another operation.")]
    KeyReused,
    /// Nothing left to retry.
    #[error("No task of this operation is in a state to retry.")]
    NothingToRetry,
    /// The caller's patience ended first.
    #[error("The operation did not finish in time.")]
    WaitTimedOut,
    /// The host is stopping.
    #[error("The host is stopping; try again in a moment.")]
    Stopping,
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sea_orm::DbErr),
}

impl SliceError for OperationError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Invalid { .. } | Self::NoMachines | Self::UnknownMachines(_) => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::KeyReused | Self::NothingToRetry => StatusCode::CONFLICT,
            Self::WaitTimedOut => StatusCode::GATEWAY_TIMEOUT,
            Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
            Self::Database(e) => SliceError::status(e),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "forbidden",
            Self::NotFound(_) => "not_found",
            Self::Invalid { .. } => "invalid",
            Self::NoMachines => "no_machines",
            Self::UnknownMachines(_) => "unknown_machines",
            Self::KeyReused => "idempotency_key_reused",
            Self::NothingToRetry => "nothing_to_retry",
            Self::WaitTimedOut => "wait_timed_out",
            Self::Stopping => "stopping",
            Self::Database(e) => e.code(),
        }
    }

    fn extras(&self) -> Map<String, Value> {
        match self {
            Self::Forbidden(e) => e.extras(),
            Self::Invalid { field, .. } => Map::from_iter([("field".into(), (*field).into())]),
            Self::UnknownMachines(ids) => {
                let ids: Vec<String> = ids.iter().take(100).map(ToString::to_string).collect();
                Map::from_iter([("machines".into(), ids.into())])
            }
            _ => Map::new(),
        }
    }
}
