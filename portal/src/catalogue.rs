//! What is for sale: tiers, plans and the engines they hold.

mod plan;
pub mod routes;

pub use plan::{Interval, Plan, Tier};
