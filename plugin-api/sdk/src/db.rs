//! sea-orm over the host's SQL service.
//!
//! [`EngineDb`] and [`EngineTransaction`] implement sea-orm's connection, transaction and stream traits, so
//! entities, queries and nested transactions are written as usual.
//!
//! # How columns get their type
//! sea-orm decodes a row strictly and reports a value of another type as NULL. So the SDK converts every value to
//! the type that the engine's entities declare ([`Entities`], returned by [`crate::Engine::entities`]), and a value
//! that does not convert is a [`DbErr::Type`] that names the column. Other columns, that is expressions and aliases,
//! follow their SQL type: every integer is `i64`, every float `f64`, text `String`, and so on. SQLite has no types
//! for expressions: dates, UUIDs and decimals computed there arrive as text.
//!
//! # What differs from other connections
//! * Instants keep microseconds, as PostgreSQL does; finer digits are cut.
//! * `into_json` shows index keys besides the columns; decode into a struct instead.
//! * A stream loads its rows first, within the host's row limit.
//! * Isolation levels cannot be chosen: SQLite's transactions are serialisable, PostgreSQL's read committed.

mod connection;
mod convert;
mod entities;
mod error;
mod read;
mod stream;
mod text;
mod transaction;
mod write;

pub use connection::EngineDb;
pub use entities::Entities;
pub use error::{error_code, is_unique_violation};
pub use transaction::EngineTransaction;

#[allow(unused_imports)] // For the documentation above.
use sea_orm::DbErr;
