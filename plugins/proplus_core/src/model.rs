//! What can be said without a host: the chain of the ledger, the catalogue of products, what a lapse stops.

pub mod catalogue;
pub mod chain;
pub mod lapse;
