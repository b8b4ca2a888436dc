//! Query strings that several routes share.

use plugin_sdk::{Problem, payloads::operations::TaskState};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::{
    model::run_state::{RunState, parse_task_state},
    store::PageRequest,
};

/// A page.
#[derive(Debug, Clone, Copy, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Items wanted, at most 200; 50 when absent.
    pub limit: Option<u64>,
    /// `next_cursor` of the page before.
    pub cursor: Option<Uuid>,
}

impl From<PageQuery> for PageRequest {
    fn from(q: PageQuery) -> Self {
        Self::new(q.limit, q.cursor)
    }
}

/// States of runs, separated by commas.
pub fn run_states(text: Option<&str>) -> Result<Vec<RunState>, Problem> {
    words(text)
        .map(|w| RunState::parse(w).ok_or_else(|| Problem::invalid("state", "states of runs")))
        .collect()
}

/// States of tasks, separated by commas.
pub fn task_states(text: Option<&str>) -> Result<Vec<TaskState>, Problem> {
    words(text)
        .map(|w| parse_task_state(w).ok_or_else(|| Problem::invalid("state", "states of tasks")))
        .collect()
}

fn words(text: Option<&str>) -> impl Iterator<Item = &str> {
    text.unwrap_or_default().split(',').map(str::trim).filter(|w| !w.is_empty())
}

/// Text of a filter, at most 200 characters.
pub fn short(field: &str, text: Option<String>) -> Result<Option<String>, Problem> {
    match text.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty()) {
        Some(text) if text.chars().count() > 200 => Err(Problem::invalid(field, "at most 200 characters")),
        other => Ok(other),
    }
}
