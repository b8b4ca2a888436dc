//! Pretend agents: a client of the gateway that speaks the whole protocol and does nothing on its machine.
//!
//! [`Identity`] enrols, [`Link`] is a connection to say and hear frames on, [`Agent`] behaves as an agent should, and
//! [`fleet`] runs thousands of them. Tests of the host use the first two to misbehave on purpose.

mod agent;
mod enroll;
pub mod fleet;
mod identity;
mod link;
mod server;

pub use agent::{Agent, Seen, hello};
pub use enroll::{EnrollError, enroll, enroll_until_approved, get, poll, post};
pub use identity::Identity;
pub use link::Link;
pub use server::{Server, Trust};
