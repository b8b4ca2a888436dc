//! What can go wrong.

use plugin_sdk::{EngineError, Problem, sea_orm::DbErr};
use uuid::Uuid;

/// An error of the licence management.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No renewal has the id.
    #[error("there is no renewal {0}")]
    NoRenewal(Uuid),
    /// The file is not the answer to this request.
    #[error("{0}")]
    Response(&'static str),
    /// Another node writes to the ledger all the time.
    #[error("the ledger is busy")]
    Busy,
    /// The actor may not.
    #[error(transparent)]
    Denied(Problem),
    /// A host service failed.
    #[error("a host service failed: {0}")]
    Host(#[from] EngineError),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] DbErr),
}

impl From<Error> for Problem {
    fn from(e: Error) -> Self {
        match e {
            Error::NoRenewal(id) => Problem::not_found("renewal", id),
            Error::Response(why) => Problem::new(422, "response_refused", why),
            Error::Busy => Problem::conflict("ledger_busy", "The ledger is being written; try again."),
            Error::Denied(problem) => problem,
            Error::Host(e) => e.into(),
            Error::Database(e) => e.into(),
        }
    }
}

impl From<Error> for EngineError {
    fn from(e: Error) -> Self {
        match e {
            Error::Host(e) => e,
            other => {
                let problem = Problem::from(other);
                EngineError::new(problem.code(), problem.to_string())
            }
        }
    }
}
