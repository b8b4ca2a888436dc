//! The SDK through the test kit: values, transactions, joins, logging, services.

#![allow(clippy::unwrap_used)]

mod joins;
mod logging;
mod probe;
mod services;
mod transactions;
mod values;
