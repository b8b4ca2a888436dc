//! What an engine author imports: an ordinary axum router, sea-orm entities, migrations and command handlers
//! become a library that a SysManage host and its agents load.
//!
//! ```
//! use std::sync::Arc;
//!
//! use axum::extract::State;
//! use plugin_sdk::{
//!     CommandContext, Commands, Ctx, Engine, EngineResult, Host, Json, OpenApiRouter, Problem, routes,
//! };
//! use serde_json::json;
//!
//! struct Hello {
//!     host: Host,
//! }
//!
//! impl Engine for Hello {
//!     // In a real engine: include_str!("../plugin.toml").
//!     const MANIFEST: &'static str = r#"
//!         id = "hello"
//!         name = "Hello"
//!         description = "Says hello."
//!         version = "0.1.0"
//!         publisher = "example"
//!         tier = "free"
//!         api = "^0.1"
//!         [[permissions]]
//!         name = "hello:greetings:read"
//!         description = "Read greetings"
//!         [[commands]]
//!         name = "greet"
//!         description = "Prints a greeting"
//!         timeout_s = 10
//!     "#;
//!
//!     async fn start(host: Host) -> EngineResult<Self> {
//!         Ok(Self { host })
//!     }
//!
//!     fn router() -> OpenApiRouter<Arc<Self>> {
//!         OpenApiRouter::new().routes(routes!(greeting))
//!     }
//!
//!     fn commands() -> Commands {
//!         Commands::new().on("greet", greet)
//!     }
//! }
//!
//! /// A greeting.
//! #[utoipa::path(get, path = "/greeting", responses((status = 200)),
//!     extensions(("x-permission" = json!("hello:greetings:read"))))]
//! async fn greeting(State(engine): State<Arc<Hello>>, ctx: Ctx) -> Result<Json<String>, Problem> {
//!     ctx.require("hello:greetings:read")?;
//!     Ok(Json(format!("Hello {} from {}", ctx.actor_name, engine.host.manifest().name)))
//! }
//!
//! async fn greet(ctx: CommandContext, name: String) -> EngineResult<()> {
//!     ctx.stdout(format!("Hello {name}\n")).await;
//!     Ok(())
//! }
//!
//! plugin_sdk::export_engine!(Hello);
//! # fn main() {}
//! ```
//!
//! # How engine code runs
//! Everything the host calls is a future that the host's runtime polls. The SDK runs each poll behind a panic guard
//! (a panic costs that request an `engine_panicked` answer), with the engine's log as tracing's destination, and in
//! the context of the engine's private tokio runtime (see [`runtime`]). Dropping the host's future cancels the call.
//! So handlers are ordinary async code; work that blocks a thread belongs into `tokio::task::spawn_blocking`.

pub mod agent;
mod ctx;
pub mod db;
mod engine;
mod entitlement;
pub mod export;
mod extract;
mod guard;
mod instance;
mod logging;
mod migration;
mod problem;
pub mod runtime;
mod server;
pub mod services;
mod template;
mod wire;

pub use plugin_api;
pub use sea_orm;

/// Payloads of the host's services.
pub use plugin_api::services as payloads;
pub use plugin_api::{CallContext, Capability, EngineError, Manifest};
pub use utoipa_axum::{router::OpenApiRouter, routes};

pub use agent::{CommandContext, Commands};
pub use ctx::Ctx;
pub use db::{EngineDb, EngineTransaction, Entities};
pub use engine::{Engine, EngineResult, Exported};
pub use extract::{Json, Path, Query};
pub use migration::{Migration, Schema, render as render_migrations};
pub use problem::Problem;
pub use runtime::{Runtime, RuntimeUse};
pub use services::Host;
pub use template::parse as parse_manifest_template;
