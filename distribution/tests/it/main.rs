//! The client against repositories that python-tuf made, and python-tuf's client against ours.

mod attacks;
mod bundles;
mod delegations;
mod downloads;
mod publisher;
mod python;
mod roots;
mod world;
