//! Notifications to people: to one user, to all who hold a permission, or to everybody.

mod entity;
pub mod routes;
mod service;

pub use service::{Level, NewNotification, Notification, Notifications};
