//! Requests and answers between the contract's plain data and axum. Bodies stream both ways.

mod body;
mod request;
mod response;

pub(crate) use request::to_axum;
pub(crate) use response::{from_axum, from_problem};
