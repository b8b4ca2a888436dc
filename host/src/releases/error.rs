//! What can go wrong with releases.

use http::StatusCode;
use serde_json::{Map, Value};

use crate::{ctx::Forbidden, operations::OperationError, problem::SliceError};

/// An error of this slice.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseFault {
    /// The actor may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// There is no such thing.
    #[error("There is no such {0}.")]
    NotFound(&'static str),
    /// A field is wrong.
    #[error("{detail}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// The file is no release.
    #[error("This is not an agent release: {0}.")]
    Malformed(#[from] agent_protocol::release::ReleaseError),
    /// Nobody we believe signed it.
    #[error("The release's signature is refused: {0}.")]
    Signature(#[from] trust::Error),
    /// The program is not the signed one.
    #[error("The program in this file is not the one that was signed.")]
    DigestMismatch,
    /// Something else is under this name.
    #[error("Version {0} for this system is here already, with another program.")]
    Exists(String),
    /// A rollout needs it.
    #[error("A rollout of this version is not finished; cancel it first.")]
    InUse,
    /// Not in this state.
    #[error("The rollout is {0}.")]
    WrongState(String),
    /// The disk.
    #[error("the release cannot be stored or read")]
    Io(#[from] std::io::Error),
    /// An operation cannot be made.
    #[error(transparent)]
    Operation(#[from] OperationError),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sea_orm::DbErr),
}

impl SliceError for ReleaseFault {
    fn status(&self) -> StatusCode {
        match self {
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Invalid { .. } | Self::Malformed(_) | Self::Signature(_) | Self::DigestMismatch => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::Exists(_) | Self::InUse | Self::WrongState(_) => StatusCode::CONFLICT,
            Self::Io(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Operation(e) => e.status(),
            Self::Database(e) => SliceError::status(e),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "forbidden",
            Self::NotFound(_) => "not_found",
            Self::Invalid { .. } => "invalid",
            Self::Malformed(_) => "malformed_release",
            Self::Signature(_) => "bad_signature",
            Self::DigestMismatch => "digest_mismatch",
            Self::Exists(_) => "release_exists",
            Self::InUse => "release_in_use",
            Self::WrongState(_) => "wrong_state",
            Self::Io(_) => "internal",
            Self::Operation(e) => e.code(),
            Self::Database(e) => e.code(),
        }
    }

    fn extras(&self) -> Map<String, Value> {
        match self {
            Self::Forbidden(e) => e.extras(),
            Self::Invalid { field, .. } => Map::from_iter([("field".into(), (*field).into())]),
            Self::Operation(e) => e.extras(),
            _ => Map::new(),
        }
    }
}
