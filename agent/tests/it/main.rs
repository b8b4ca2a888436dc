//! Tests of the agent: collectors against this machine, the spool against kill -9, sessions against a real TLS host.
#![allow(clippy::unwrap_used)]

mod config;
mod crash;
mod engines;
mod firewalls;
mod halves;
mod host;
mod machine;
mod pacman;
mod parsers;
mod podman;
mod policy;
mod rpm;
mod sections;
mod session;
mod spool;
mod storage;
mod systems;
