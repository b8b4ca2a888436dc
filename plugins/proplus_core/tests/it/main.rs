//! The licence management in a test host.

#![allow(clippy::unwrap_used)]

mod conformance;
mod ledger;
mod service;
