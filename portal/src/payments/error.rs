//! What can go wrong with payments.

use http::StatusCode;
use serde_json::{Map, Value};

use super::stripe::{SignatureError, StripeError};
use crate::{ctx::Forbidden, orders::OrderError, problem::SliceError};

/// An error of this slice.
#[derive(Debug, thiserror::Error)]
pub enum PaymentError {
    /// The actor may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The order does not do that.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// The order is paid, or over.
    #[error("There is nothing to pay for this order.")]
    NothingToPay,
    /// Only what is paid and goes on can be changed.
    #[error("Only an order that is paid, and will be renewed, can be changed.")]
    NotChangeable,
    /// A field is wrong.
    #[error("{1}")]
    Invalid(&'static str, String),
    /// Paid by invoice.
    #[error("This order is paid by invoice: ask the vendor to change it.")]
    AskVendor,
    /// The card was refused.
    #[error("The payment was declined, and nothing has changed.")]
    Declined(#[source] StripeError),
    /// Stripe is not set up.
    #[error("Payment by card is not set up here; ask for an invoice.")]
    NoStripe,
    /// Test payments are off.
    #[error("Test payments are off.")]
    NoTestPayments,
    /// Stripe does not answer, or refuses.
    #[error("The payment service cannot be reached now. Nothing was charged; try again.")]
    Stripe(#[from] StripeError),
    /// The webhook's signature is not Stripe's.
    #[error("{0}")]
    Signature(#[from] SignatureError),
    /// The webhook does not read.
    #[error("The event is not one that this portal reads.")]
    Malformed(#[source] serde_json::Error),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sea_orm::DbErr),
}

impl SliceError for PaymentError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Forbidden(e) => e.status(),
            Self::Order(e) => e.status(),
            Self::NothingToPay | Self::NotChangeable | Self::AskVendor => StatusCode::CONFLICT,
            Self::Invalid(..) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Declined(_) => StatusCode::PAYMENT_REQUIRED,
            Self::NoStripe | Self::NoTestPayments => StatusCode::NOT_FOUND,
            Self::Stripe(_) => StatusCode::BAD_GATEWAY,
            Self::Signature(_) | Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Database(e) => e.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(e) => e.code(),
            Self::Order(e) => e.code(),
            Self::NothingToPay => "nothing_to_pay",
            Self::NotChangeable => "not_changeable",
            Self::Invalid(..) => "invalid",
            Self::AskVendor => "ask_vendor",
            Self::Declined(_) => "payment_declined",
            Self::NoStripe => "no_card_payments",
            Self::NoTestPayments => "no_test_payments",
            Self::Stripe(_) => "payment_service",
            Self::Signature(e) => e.code(),
            Self::Malformed(_) => "malformed_event",
            Self::Database(e) => e.code(),
        }
    }

    fn extras(&self) -> Map<String, Value> {
        match self {
            Self::Forbidden(e) => e.extras(),
            Self::Order(e) => e.extras(),
            Self::Invalid(field, _) => Map::from_iter([("field".into(), (*field).into())]),
            _ => Map::new(),
        }
    }
}
