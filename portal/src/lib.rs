//! The SysManage portal: the vendor's service that sells, licenses and serves engines.
//!
//! # How it fits together
//! Front doors (HTTP in [`http`], the command line in [`cli`], Stripe's webhooks in [`payments`], hourly work in [`app`])
//! build a [`ctx::Ctx`] and call a slice's service, which authorises on its first line and records in [`audit`] in the same
//! transaction. A route says who may use it where it is added ([`http::Routes::on`]); one that does not cannot be written.
//!
//! What an order is worth follows from its events alone ([`orders`]), and its licence follows from that ([`licensing`]),
//! in the transaction that records the event.

pub mod accounts;
pub mod advisories;
pub mod app;
pub mod audit;
pub mod catalogue;
pub mod cli;
pub mod clock;
pub mod config;
pub mod ctx;
pub mod db;
pub mod hosts;
pub mod http;
pub mod licensing;
mod migrations;
pub mod orders;
mod pages;
pub mod payments;
pub mod problem;
pub mod releases;
mod secret;
pub mod serve;
pub mod tuf;
