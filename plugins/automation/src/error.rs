//! What can go wrong, each with a stable code.

use plugin_sdk::{EngineError, Problem, sea_orm::DbErr};
use serde_json::json;
use uuid::Uuid;

use crate::model::parameter::Fault;

/// Result of a service method.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the automation engine.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Absent, or not shared with the actor: the two look the same.
    #[error("There is no {what} `{id}`.")]
    NotFound {
        /// Kind of thing.
        what: &'static str,
        /// Its id as asked for.
        id: String,
    },
    /// A field is well formed and yet refused.
    #[error("`{field}`: {message}.")]
    Invalid {
        /// Field.
        field: &'static str,
        /// What is wrong or expected.
        message: String,
    },
    /// Declarations or values of parameters are wrong.
    #[error("{} of the parameters are wrong; `errors` says which and why.", .0.len())]
    Parameters(Vec<Fault>),
    /// Only the owner, or whoever may manage all scripts, changes a script or schedule.
    #[error("Only its owner, or somebody with `automation:scripts:manage`, may change this.")]
    NotOwner,
    /// An archived script neither runs nor changes.
    #[error("The script is archived; restore it first.")]
    Archived,
    /// The newest version is already the same.
    #[error("Version {0} is already exactly this.")]
    SameVersion(i32),
    /// Somebody else changed it meanwhile.
    #[error("It was changed meanwhile; read it again.")]
    Changed,
    /// No machine is selected.
    #[error("No machine matches; nothing would run.")]
    NoTargets,
    /// Machines that do not exist or are out of the actor's reach.
    #[error("{} of the machines do not exist or are out of your reach.", .0.len())]
    MachinesUnknown(Vec<String>),
    /// The key was used for another request.
    #[error("The idempotency key was used for another request; use a new one.")]
    KeyReused,
    /// The run has ended.
    #[error("The run has ended ({0}).")]
    RunEnded(&'static str),
    /// The run has not ended.
    #[error("The run has not ended ({0}); wait or cancel it.")]
    RunNotEnded(&'static str),
    /// No machine of the run is in the states asked for.
    #[error("No machine of the run is in a state to retry.")]
    NothingToRetry,
    /// Nobody approves what they asked for.
    #[error("A run needs another person's approval than that of the one who asked for it.")]
    SelfApproval,
    /// It is not known which person stands behind the actor.
    #[error("Sign in as a user to decide: it is not known who stands behind this actor.")]
    ApproverUnknown,
    /// Already decided.
    #[error("The approval is not pending any more ({0}).")]
    Decided(String),
    /// What the approver saw is not what is there.
    #[error("What you looked at is not what would run; read the approval again.")]
    BindingDiffers,
    /// The approver does not reach every target.
    #[error("{0} of the targets are out of your reach, so you cannot approve the run.")]
    TargetsOutOfReach(usize),
    /// Refused by the SDK.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// A host service failed or refused.
    #[error(transparent)]
    Host(#[from] EngineError),
    /// The database failed.
    #[error("The database failed.")]
    Database(#[from] DbErr),
}

impl Error {
    /// A thing that is absent.
    pub fn not_found(what: &'static str, id: Uuid) -> Self {
        Self::NotFound { what, id: id.to_string() }
    }

    /// A field that is refused.
    pub fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid { field, message: message.into() }
    }
}

impl From<Error> for Problem {
    fn from(e: Error) -> Self {
        let text = e.to_string();
        match e {
            Error::NotFound { .. } => Self::new(404, "not_found", text),
            Error::Invalid { field, .. } => Self::new(422, "invalid_field", text).with("field", field),
            Error::Parameters(faults) => {
                Self::new(422, "parameter_invalid", text).with("errors", json!(faults))
            }
            Error::NotOwner => Self::new(403, "not_owner", text),
            Error::Archived => Self::new(409, "script_archived", text),
            Error::SameVersion(number) => Self::new(409, "same_version", text).with("version", number),
            Error::Changed => Self::new(409, "changed_meanwhile", text),
            Error::NoTargets => Self::new(422, "no_targets", text),
            Error::MachinesUnknown(ids) => {
                let shown: Vec<_> = ids.into_iter().take(100).collect();
                Self::new(422, "machines_unknown", text).with("machine_ids", json!(shown))
            }
            Error::KeyReused => Self::new(422, "idempotency_key_reused", text),
            Error::RunEnded(state) => Self::new(409, "run_ended", text).with("state", state),
            Error::RunNotEnded(state) => Self::new(409, "run_not_ended", text).with("state", state),
            Error::NothingToRetry => Self::new(409, "nothing_to_retry", text),
            Error::SelfApproval => Self::new(403, "self_approval", text),
            Error::ApproverUnknown => Self::new(403, "approver_unknown", text),
            Error::Decided(state) => Self::new(409, "approval_decided", text).with("state", state),
            Error::BindingDiffers => Self::new(409, "approval_changed", text),
            Error::TargetsOutOfReach(count) => {
                Self::new(403, "targets_out_of_reach", text).with("count", count as u64)
            }
            Error::Problem(problem) => problem,
            Error::Host(error) => error.into(),
            Error::Database(error) => error.into(),
        }
    }
}

impl From<Error> for EngineError {
    fn from(e: Error) -> Self {
        match e {
            Error::Host(error) => error,
            other => {
                let text = other.to_string();
                let problem = Problem::from(other);
                Self::new(problem.code(), text)
            }
        }
    }
}
