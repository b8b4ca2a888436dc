//! The SysManage server.
//!
//! # How it fits together
//! Front doors (the HTTPS API in [`http`], the admin socket and [`cli`], the agent gateway in [`gateway`], calls of
//! engines in [`engines`], jobs) build a [`ctx::Ctx`] and call a slice's service. Services authorise on their first
//! line, decide, store through their slice's `store`, record in [`audit`] in the same transaction, and publish to
//! [`events`] after the commit.
//!
//! # Adding a slice
//! 1. `src/<slice>.rs` with `mod routes; mod service; mod store; mod entity; mod error;` beside it in `src/<slice>/`.
//!    Its `Services` has `new(Arc<Core>)` (starts nothing) and `start(&self, &Arc<App>)` (background tasks on
//!    `core.tasks`, ended by `core.shutdown`; keep a `Weak<App>` where you need a sibling, never an `Arc`).
//! 2. A field in [`app::App`], lines in `App::build` and `App::start`.
//! 3. `pub fn router() -> OpenApiRouter<Arc<App>>` and a line in `http/router.rs`. Each handler takes `ctx: Ctx` first,
//!    then `State(app)`, then [`http::Path`], [`http::Query`], [`http::Json`] (their refusals are problems), and answers
//!    `Result<_, Problem>`. `#[utoipa::path(..., extensions(("x-permission" = json!("machines:read"))))]` names the
//!    permission: the guard asks for it before the body is read, the service again. Paths are whole (`/api/v1/...`).
//!    Lists answer [`http::Page`]. Streams go into `streams()`, which has no time limit.
//! 4. Permissions in `permissions/registry.rs`; migrations as `migrations/src/m<number>_<what>.rs` and a line there.
//! 5. One `thiserror` enum that implements [`problem::SliceError`]; `?` then makes a [`problem::Problem`].
//! 6. Configuration as a file in `config/`, every key with a default (empty text for "not set").
//!
//! Reads use `db.read()`, single writes `db.write()`, transactions `db.begin()`; see [`db`] for the one-writer rule.

pub mod accounts;
pub mod app;
pub mod audit;
pub mod backup;
pub mod cli;
pub mod clock;
pub mod config;
pub mod console;
pub mod ctx;
pub mod db;
pub mod doctor;
pub mod engines;
pub mod events;
pub mod gateway;
pub mod http;
pub mod keys;
pub mod license;
pub mod machines;
pub mod marketplace;
pub mod metrics;
pub mod notifications;
pub mod operations;
pub mod permissions;
pub mod pki;
pub mod problem;
pub mod releases;
pub mod searches;
pub mod secrets;
pub mod selector;
pub mod serve;
pub mod settings;
pub mod software;
