//! What can go wrong with machines and enrolment.

use http::StatusCode;
use serde_json::{Map, Value};

use super::limit::LimitReached;
use crate::{ctx::Forbidden, pki::PkiError, problem::SliceError};

/// An error of the machines slice.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// The actor may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// No such machine, token or section, or not visible.
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
    /// The name of a tag is taken.
    #[error("There is a tag `{0}` already.")]
    TagTaken(String),
    /// A rule sets this tag.
    #[error("The tag `{0}` is set by its rule, and not by hand. Change the rule, or end it first.")]
    AutomaticTag(String),
    /// The decision was made before.
    #[error("The machine is already {0}.")]
    AlreadyDecided(&'static str),
    /// The licence covers no more machines.
    #[error(transparent)]
    LimitReached(#[from] LimitReached),
    /// The enrolment token is unknown, expired, revoked or used up. Which of these is not told.
    #[error("The enrolment token is not valid. Ask your administrator for a new one.")]
    BadToken,
    /// The signing request is not one.
    #[error("The signing request is refused: {0}.")]
    BadRequest(String),
    /// The handle is unknown, or the proof does not fit the key.
    #[error("The handle or its proof is not valid. Enrol again.")]
    BadProof,
    /// The machine is not connected.
    #[error("The machine is not connected.")]
    NotConnected,
    /// A certificate could not be made.
    #[error("a certificate could not be made")]
    Pki(#[source] PkiError),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sea_orm::DbErr),
}

impl From<PkiError> for MachineError {
    fn from(error: PkiError) -> Self {
        match error {
            PkiError::BadRequest(reason) => Self::BadRequest(reason),
            other => Self::Pki(other),
        }
    }
}

impl SliceError for MachineError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Forbidden(_) | Self::BadToken | Self::BadProof => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Invalid { .. } | Self::BadRequest(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::AlreadyDecided(_) | Self::NotConnected | Self::TagTaken(_) | Self::AutomaticTag(_) => {
                StatusCode::CONFLICT
            }
            Self::LimitReached(_) => StatusCode::PAYMENT_REQUIRED,
            Self::Pki(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Database(e) => SliceError::status(e),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "forbidden",
            Self::NotFound(_) => "not_found",
            Self::Invalid { .. } => "invalid",
            Self::AlreadyDecided(_) => "already_decided",
            Self::TagTaken(_) => "name_taken",
            Self::AutomaticTag(_) => "automatic_tag",
            Self::LimitReached(_) => "machine_limit_reached",
            Self::BadToken => "bad_enrolment_token",
            Self::BadRequest(_) => "bad_signing_request",
            Self::BadProof => "bad_enrolment_proof",
            Self::NotConnected => "machine_not_connected",
            Self::Pki(_) => "internal",
            Self::Database(e) => e.code(),
        }
    }

    fn extras(&self) -> Map<String, Value> {
        match self {
            Self::Forbidden(e) => e.extras(),
            Self::Invalid { field, .. } => Map::from_iter([("field".into(), (*field).into())]),
            Self::LimitReached(e) => {
                Map::from_iter([("limit".into(), e.limit.into()), ("approved".into(), e.approved.into())])
            }
            _ => Map::new(),
        }
    }
}
