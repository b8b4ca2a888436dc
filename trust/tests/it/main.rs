//! What is believed and what is refused, each refusal by its code.
#![allow(clippy::unwrap_used)]

mod chains;
mod goldens;
mod hostile_input;
mod keys;
mod namespaces;
mod revocations;
mod signatures;
mod world;
