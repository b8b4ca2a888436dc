//! What can go wrong with notes.

use plugin_sdk::{EngineError, Problem, sea_orm::DbErr};
use uuid::Uuid;

/// An error of the notes.
#[derive(Debug, thiserror::Error)]
pub enum NoteError {
    /// No note has the id.
    #[error("there is no note {0}")]
    NotFound(Uuid),
    /// A title out of its form.
    #[error("the title must have 1 to 200 characters")]
    Title,
    /// Another note has the title.
    #[error("there is a note with this title already")]
    TitleTaken,
    /// The actor may not.
    #[error(transparent)]
    Denied(Problem),
    /// A host service failed.
    #[error("a host service failed")]
    Host(#[from] EngineError),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] DbErr),
}

impl From<NoteError> for Problem {
    fn from(e: NoteError) -> Self {
        match e {
            NoteError::NotFound(id) => Problem::not_found("note", id),
            NoteError::Title => Problem::invalid("title", "1 to 200 characters"),
            NoteError::TitleTaken => Problem::conflict("title_taken", "Another note has this title."),
            NoteError::Denied(problem) => problem,
            NoteError::Host(e) => e.into(),
            NoteError::Database(e) => e.into(),
        }
    }
}

impl From<NoteError> for EngineError {
    fn from(e: NoteError) -> Self {
        match e {
            NoteError::Host(e) => e,
            other => {
                let problem = Problem::from(other);
                EngineError::new(problem.code(), problem.to_string())
            }
        }
    }
}
