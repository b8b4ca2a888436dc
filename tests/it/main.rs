//! End-to-end tests: real processes, real engine packages, real sockets.

mod archives;
mod bought;
mod chaos;
mod fixture;
mod isolation;
mod journey;
mod lapse;
mod license_refusals;
mod marketplace;
mod network;
mod operations;
mod package_refusals;
mod self_update;
mod upgrade;
