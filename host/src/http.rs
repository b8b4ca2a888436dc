//! HTTP: the router of every slice in one, the layers around it, and the listener.

pub mod access;
pub mod detach;
pub mod etag;
pub mod extract;
pub mod guard;
pub mod health;
pub mod idempotency;
pub mod openapi;
pub mod page;
pub mod peer;
pub mod problems;
pub mod refusals;
pub mod router;
pub mod server;

pub use extract::{Json, Path, Query};
pub use page::{Page, PageQuery, PageSchema};
pub use peer::Peer;
