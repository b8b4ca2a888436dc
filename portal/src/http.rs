//! The HTTP front door: every route declares who may use it, and nothing answers without that.

mod access;
mod extract;
pub mod openapi;
mod router;
mod routes;
mod tell;

use serde::Serialize;

pub use access::{cookie, identify_host, require_same_origin, session_cookie, visitor};
pub use extract::{Form, Json, Path, Query};
pub use router::{declared, router};
pub use routes::{Access, RouteInfo, Routes};
pub use tell::REQUEST_ID;

/// A list in an answer.
#[derive(Debug, Serialize)]
pub struct Items<T> {
    /// The things.
    pub items: Vec<T>,
}
