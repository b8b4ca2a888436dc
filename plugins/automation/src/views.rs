//! What the API shows. No row of a table leaves the engine as it is.

mod approval;
mod run;
mod schedule;
mod script;

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

pub use approval::ApprovalView;
pub use run::{GroupMachine, GroupView, ResultView, RunView};
pub use schedule::ScheduleView;
pub use script::{ScriptView, VersionView};

/// A page.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Page<T> {
    /// What was asked for.
    pub items: Vec<T>,
    /// Where the next page starts; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Uuid>,
}

impl<T> Page<T> {
    /// A page of rows asked with `limit`: a full one may have a successor.
    pub fn of<R>(rows: Vec<R>, limit: u64, id: impl Fn(&R) -> Uuid, view: impl Fn(R) -> T) -> Self {
        let full = rows.len() as u64 >= limit;
        let next_cursor = rows.last().filter(|_| full).map(id);
        Self { items: rows.into_iter().map(view).collect(), next_cursor }
    }
}
