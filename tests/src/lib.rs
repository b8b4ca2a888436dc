//! A fleet of real processes for end-to-end tests and the demo: host, agents, packages, licences.

pub mod agent;
pub mod api;
pub mod apt;
pub mod bins;
pub mod host;
pub mod namespaces;
pub mod packages;
pub mod portal;
pub mod process;
pub mod release;
pub mod tokens;
pub mod wait;
