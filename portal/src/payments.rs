//! Payments: Stripe by checkout and webhooks, and the test payment of development. Invoices are the vendor's own: staff
//! say when one was paid.

mod change;
pub mod entity;
mod error;
pub mod routes;
mod service;
mod store;
pub mod stripe;

pub use change::ChangeOrder;
pub use error::PaymentError;
pub use service::{Checkout, Payments, Received};
