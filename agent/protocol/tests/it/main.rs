//! Tests of the protocol.
#![allow(clippy::unwrap_used)]

mod arbitrary_bytes;
mod golden;
mod items;
mod lanes;
mod samples;
mod wire;
