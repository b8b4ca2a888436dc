//! What is Stripe's: requests, signatures of webhooks, and what their events mean. Shapes are those of API version
//! 2024-06-20, which every request names and the webhook endpoint has to be made with.

mod client;
mod meaning;
mod signature;

pub use client::{Client, NewTerms, Session, StripeError, Wanted};
pub use meaning::{Meaning, News, Payment, StripeEvent, meaning};
pub use signature::{SignatureError, sign, verify};

/// The version of Stripe's API that this portal speaks.
pub const API_VERSION: &str = "2024-06-20";
