//! The SysManage agent: runs on a managed machine, tells a host what the machine is and does, and runs its commands.
//!
//! Read in this order: [`agent`] starts everything; [`link`] keeps the connection; [`tasks`] runs commands, over the
//! [`spool`] that remembers them across a power cut; [`engines`] loads agent halves; [`inventory`] and [`metrics`]
//! look at the machine. [`policy`] is the owner's word against the host's.

pub mod agent;
pub mod backoff;
pub mod cli;
pub mod clock;
pub mod config;
pub mod engines;
pub mod enrolment;
pub mod facts;
pub mod heap;
pub mod http_client;
pub mod hub;
pub mod identity;
pub mod inventory;
pub mod inventory_memory;
pub mod inventory_state;
pub mod link;
pub mod metrics;
pub mod policy;
pub mod server;
pub mod spool;
pub mod status;
pub mod storage;
pub mod tasks;
pub mod update;
pub mod watcher;
