//! Orders, and the licences that follow from them.
//!
//! An order is nothing but its events ([`event`]): facts that Stripe, the vendor or the customer told, recorded once each.
//! They make a [`History`], in any order of arrival, and a history makes a [`Verdict`]: what the licence shall say. The
//! licence follows in the transaction that records the event, so that neither is there without the other.

mod activation;
pub mod entity;
mod error;
mod event;
mod history;
mod revenue;
pub mod routes;
mod service;
mod store;
mod verdict;

pub use error::OrderError;
pub use event::{Dispute, Event, PaymentRef, Period, What};
pub use history::{Applied, History};
pub use revenue::Revenue;
pub use service::{Entry, NewOrder, Order, Orders};
pub use verdict::{Grant, Standing, Verdict};
