//! Tests of the guard, the executor, transactions and migrations, on SQLite and where given on PostgreSQL.
#![allow(clippy::unwrap_used)]

mod attacks;
mod db;
mod migrations;
mod transactions;
mod values;
