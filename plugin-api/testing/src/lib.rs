//! Run one engine in a test: through the real contract, on a real database, with recording services beside it.
//!
//! ```no_run
//! # async fn example<E: plugin_sdk::Exported>() {
//! use plugin_testing::TestEngine;
//! use serde_json::json;
//!
//! let engine = TestEngine::<E>::start().await;
//! let answer = engine.client().post("/notes", &json!({ "title": "Milk" })).await;
//! assert_eq!(answer.status, 201);
//! let reader = engine.client_with(&["example:notes:read"]);
//! assert_eq!(reader.get("/notes").await.json()["total"], 1);
//! # }
//! ```
//!
//! The engine is linked into the test, not loaded from a library; everything else is as in a host: the functions its
//! library would export, its migrations through the ledger, its SQL through the guard, its licence from a signed token.
//! The database is a temporary SQLite file, or with `SYSMANAGE_TEST_POSTGRES_URL` set a schema of its own in that
//! PostgreSQL database.

mod agent;
mod builder;
mod client;
pub mod conformance;
mod database;
mod engine;
mod license;
mod log;
mod services;

pub use agent::{RunningCommand, TestAgent};
pub use builder::Builder;
pub use client::{Body, Client, TestResponse};
pub use engine::TestEngine;
pub use license::TestLicense;
pub use log::TestLog;
pub use services::{FakeHost, FetchReply};

pub use plugin_sdk::payloads;
