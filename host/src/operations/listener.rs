//! Who is told when a task changes: the engine that owns the command.

use plugin_api::services::operations::TaskEvent;

/// Told of every change of a task whose command belongs to an engine, after it is committed.
pub trait TaskListener: Send + Sync + 'static {
    /// A task of `engine` changed. Must not wait: hand it to a queue of your own. A change is told at most once; after
    /// a restart of the host ask [`super::Operations::tasks`] for what was missed.
    fn task_changed(&self, engine: &str, event: TaskEvent);
}
