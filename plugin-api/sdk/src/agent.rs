//! The agent half: command handlers that run on machines.
//!
//! ```
//! use plugin_sdk::{CommandContext, Commands, EngineResult};
//!
//! #[derive(serde::Deserialize)]
//! struct Greet {
//!     name: String,
//! }
//!
//! async fn greet(ctx: CommandContext, greet: Greet) -> EngineResult<usize> {
//!     let text = format!("Hello {}\n", greet.name);
//!     ctx.stdout(text.as_bytes()).await;
//!     Ok(text.len())
//! }
//!
//! let commands = Commands::new().on("greet", greet);
//! assert_eq!(commands.names(), ["greet"]);
//! ```

mod context;
mod half;

use std::{collections::BTreeMap, future::Future, pin::Pin, sync::Arc};

use plugin_api::{
    EngineError,
    error::{decode, encode},
};
use serde::{Serialize, de::DeserializeOwned};

pub use context::CommandContext;
pub(crate) use half::create;

type Answer = Pin<Box<dyn Future<Output = Result<Vec<u8>, EngineError>> + Send>>;
type Handler = Arc<dyn Fn(CommandContext, Vec<u8>) -> Answer + Send + Sync>;

/// Command handlers by name.
#[derive(Clone, Default)]
pub struct Commands(BTreeMap<&'static str, Handler>);

impl Commands {
    /// No commands.
    pub fn new() -> Self {
        Self::default()
    }

    /// Add a handler for `name` (without the engine's prefix; the manifest lists it under `commands`).
    /// The payload is decoded to `P`, the answer encoded; both are JSON. An answer with a member `error` (an object
    /// with `code` and `message`) counts as failed and is kept: for commands that fail and still have results.
    ///
    /// The handler decides what cancellation means: it watches [`CommandContext::cancelled`], which also
    /// resolves at the deadline. The agent drops a handler that does not end soon after.
    #[must_use]
    pub fn on<F, P, R, Fut>(mut self, name: &'static str, handler: F) -> Self
    where
        F: Fn(CommandContext, P) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, EngineError>> + Send + 'static,
        P: DeserializeOwned + Send + 'static,
        R: Serialize,
    {
        let erased = move |ctx: CommandContext, payload: Vec<u8>| -> Answer {
            match decode::<P>(&payload) {
                Ok(payload) => {
                    let answer = handler(ctx, payload);
                    Box::pin(async move { encode(&answer.await?) })
                }
                Err(e) => Box::pin(async move { Err(e) }),
            }
        };
        self.0.insert(name, Arc::new(erased));
        self
    }

    /// Names in order.
    pub fn names(&self) -> Vec<String> {
        self.0.keys().map(|name| (*name).to_owned()).collect()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Handler> {
        self.0.get(name)
    }
}

impl std::fmt::Debug for Commands {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}
