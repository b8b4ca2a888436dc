//! What licences grant, for how long, and what is refused.
#![allow(clippy::unwrap_used)]

mod clock;
mod decisions;
mod explanations;
mod goldens;
mod host_proofs;
mod hostile_input;
mod instance_requests;
mod limits;
mod model;
mod proofs;
mod receipts;
mod sets;
mod tokens;
mod world;
