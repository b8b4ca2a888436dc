//! What can go wrong when a host calls.

use http::StatusCode;
use licenses::{ProofError, receipt::ReceiptError};
use serde_json::{Map, Value};

use crate::{ctx::Forbidden, licensing::LicensingError, problem::SliceError};

/// An error of this slice.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The actor may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The host did not prove which one it is.
    #[error("{0}")]
    Proof(#[from] ProofError),
    /// The licence in the proof does not verify.
    #[error("{0}")]
    License(#[from] licenses::Error),
    /// No such licence was issued here.
    #[error("This portal issued no such licence.")]
    UnknownLicense,
    /// The licence is bound to another instance.
    #[error(
        "This licence is bound to another host. Transfer it to this one on the portal's page of licences."
    )]
    WrongInstance,
    /// A receipt is refused.
    #[error("{error}")]
    Receipt {
        /// Why.
        #[source]
        error: ReceiptError,
        /// The last receipt that the portal took of this chain, countersigned: what a host that was put back goes on from.
        head: Option<String>,
    },
    /// There are too many of something.
    #[error("{1}")]
    TooMany(&'static str, String),
    /// A field is wrong.
    #[error("{1}")]
    Invalid(&'static str, String),
    /// The licence does not read, or nothing can be signed.
    #[error(transparent)]
    Licensing(#[from] LicensingError),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sea_orm::DbErr),
}

impl SliceError for HostError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Forbidden(e) => e.status(),
            Self::Proof(_) | Self::License(_) => StatusCode::UNAUTHORIZED,
            Self::UnknownLicense | Self::WrongInstance => StatusCode::FORBIDDEN,
            Self::Receipt { .. } => StatusCode::CONFLICT,
            Self::TooMany(..) => StatusCode::TOO_MANY_REQUESTS,
            Self::Invalid(..) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Licensing(e) => e.status(),
            Self::Database(e) => e.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(e) => e.code(),
            Self::Proof(_) => "host_proof_refused",
            Self::License(_) => "license_refused",
            Self::UnknownLicense => "unknown_license",
            Self::WrongInstance => "wrong_instance",
            Self::Receipt { error, .. } => error.code(),
            Self::TooMany(code, _) => code,
            Self::Invalid(..) => "invalid",
            Self::Licensing(e) => e.code(),
            Self::Database(e) => e.code(),
        }
    }

    fn extras(&self) -> Map<String, Value> {
        match self {
            Self::Forbidden(e) => e.extras(),
            Self::Proof(e) => Map::from_iter([("reason".into(), e.code().into())]),
            Self::License(e) => Map::from_iter([("reason".into(), e.code().into())]),
            Self::Receipt { error, head } => {
                let mut extras = Map::from_iter([("head".into(), head.clone().into())]);
                if let ReceiptError::Gap { expected, .. } = error {
                    extras.insert("expected".into(), (*expected).into());
                }
                extras
            }
            Self::TooMany(..) => Map::from_iter([("retry_after_s".into(), 3600.into())]),
            Self::Invalid(field, _) => Map::from_iter([("field".into(), (*field).into())]),
            _ => Map::new(),
        }
    }
}
