//! Operations: everything done on machines. One parent, one task per machine; durable, at most once, cancellable.

mod command_routes;
mod commands;
mod dispatch;
mod entity;
mod error;
mod listener;
mod model;
mod reach;
mod routes;
mod service;
pub mod state;
mod store;

use std::{ops::Deref, sync::Arc};

use utoipa_axum::router::OpenApiRouter;

use crate::app::{App, Core};

pub(crate) use dispatch::Signal;
pub use error::OperationError;
pub use listener::TaskListener;
pub use model::{NewOperation, Operation, OutputChunk, Targets, Task, TaskError, TaskOutput};
pub(crate) use reach::Reach;
pub use service::Operations;
pub use store::OperationFilter;

/// Services of this slice: [`Operations`].
pub struct Services {
    core: Arc<Core>,
    operations: Operations,
}

impl Deref for Services {
    type Target = Operations;

    fn deref(&self) -> &Operations {
        &self.operations
    }
}

impl Services {
    /// Build over the shared part; starts nothing.
    pub async fn new(core: Arc<Core>) -> anyhow::Result<Self> {
        let operations = Operations::new(core.clone());
        Ok(Self { core, operations })
    }

    /// Start the dispatcher.
    pub async fn start(&self, _app: &Arc<App>) -> anyhow::Result<()> {
        let operations = self.operations.clone();
        let stop = self.core.shutdown.clone();
        self.core.tasks.spawn(async move { operations.run(stop).await });
        Ok(())
    }
}

/// Routes with the ordinary time limit.
pub fn router() -> OpenApiRouter<Arc<App>> {
    routes::router().merge(command_routes::router())
}

/// Routes that stream: none.
pub fn streams() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
}
