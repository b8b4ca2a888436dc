//! Tests of the contract: its binary layout and its manifest.

#![allow(clippy::unwrap_used)]

mod layout;
mod manifest;
