//! What can go wrong with secrets.

use http::StatusCode;

use crate::{ctx::Forbidden, problem::SliceError};

/// An error of this slice.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The actor may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// No such secret.
    #[error("There is no secret of this name.")]
    NotFound,
    /// A name that cannot be used.
    #[error("A secret's name has 1 to 64 of a-z, 0-9, `_`, `-` and `.`, and begins with a letter.")]
    BadName,
    /// A value that is empty or too long.
    #[error("A secret's value has 1 to 65536 bytes.")]
    BadValue,
    /// The key file changed.
    #[error("the secret does not open with this host's key")]
    Unsealable(#[from] crate::keys::Unsealable),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sea_orm::DbErr),
}

impl SliceError for SecretError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::BadName | Self::BadValue => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unsealable(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Database(e) => e.status(),
        }
    }
    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(e) => e.code(),
            Self::NotFound => "not_found",
            Self::BadName => "bad_secret_name",
            Self::BadValue => "bad_secret_value",
            Self::Unsealable(_) => "unsealable",
            Self::Database(e) => e.code(),
        }
    }
}
