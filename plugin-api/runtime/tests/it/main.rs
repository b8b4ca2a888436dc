//! Tests of the runtime on real packages, a real library and real processes.

#![allow(clippy::unwrap_used)]

mod agent;
mod archives;
mod host;
mod in_process;
mod isolated;
mod kit;
mod refusals;
mod sandbox;
