//! What can go wrong with orders.

use http::StatusCode;
use serde_json::{Map, Value};

use crate::{ctx::Forbidden, licensing::LicensingError, problem::SliceError};

/// An error of this slice.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// The actor may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// No such thing.
    #[error("There is no such {0}.")]
    NotFound(&'static str),
    /// A field is wrong.
    #[error("{1}")]
    Invalid(&'static str, String),
    /// One trial for each organisation.
    #[error("Your organisation has had its trial.")]
    TrialUsed,
    /// No trials.
    #[error("There are no trials.")]
    NoTrials,
    /// Too many orders wait for payment.
    #[error("Several orders wait for payment. Pay or cancel them first.")]
    TooManyPending,
    /// One payment pays one order.
    #[error("The payment {0} paid another order already.")]
    PaidElsewhere(String),
    /// The order is over.
    #[error("This order is {0}; make a new one.")]
    Over(&'static str),
    /// The licence could not be made.
    #[error(transparent)]
    Licensing(#[from] LicensingError),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sea_orm::DbErr),
}

impl SliceError for OrderError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Forbidden(e) => e.status(),
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Invalid(..) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TrialUsed
            | Self::NoTrials
            | Self::TooManyPending
            | Self::Over(_)
            | Self::PaidElsewhere(_) => StatusCode::CONFLICT,
            Self::Licensing(e) => e.status(),
            Self::Database(e) => e.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(e) => e.code(),
            Self::NotFound(_) => "not_found",
            Self::Invalid(..) => "invalid",
            Self::TrialUsed => "trial_used",
            Self::NoTrials => "no_trials",
            Self::TooManyPending => "too_many_pending",
            Self::Over(_) => "order_over",
            Self::PaidElsewhere(_) => "paid_elsewhere",
            Self::Licensing(e) => e.code(),
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
