//! What an approval is bound to: the exact script, values, targets, window and limits of one run.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{
    digest,
    interpreter::{Interpreter, Passing},
    parameter::Parameter,
    values::Values,
};

/// Everything about a version of a script that changes what happens on a machine.
#[derive(Debug, Serialize)]
pub struct Behaviour<'a> {
    /// SHA-256 of the text.
    pub content_sha256: &'a str,
    /// Program.
    pub interpreter: Interpreter,
    /// Way of passing values.
    pub passing: Passing,
    /// Declared parameters.
    pub parameters: &'a [Parameter],
    /// Whether runs need approval.
    pub privileged: bool,
    /// User on the machine; the agent's own when absent.
    pub run_as: Option<&'a str>,
    /// Working directory; the user's home when absent.
    pub working_directory: Option<&'a str>,
}

impl Behaviour<'_> {
    /// SHA-256 of the behaviour.
    pub fn fingerprint(&self) -> String {
        digest::of_json("automation.version.1", self)
    }
}

/// Digest of checked values. Secrets count by name: a rotated secret does not undo an approval.
pub fn of_values(values: &Values) -> String {
    digest::of_json("automation.values.1", values)
}

/// Digest of frozen targets, whatever their order.
pub fn of_targets<'a>(machine_ids: impl IntoIterator<Item = &'a str>) -> String {
    let mut ids: Vec<_> = machine_ids.into_iter().collect();
    ids.sort_unstable();
    ids.dedup();
    digest::of_json("automation.targets.1", &ids)
}

/// What one approval covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Binding {
    /// The run.
    pub run_id: String,
    /// [`Behaviour::fingerprint`].
    pub fingerprint: String,
    /// [`of_values`].
    pub values: String,
    /// [`of_targets`].
    pub targets: String,
    /// Start of the window, in seconds since the Unix epoch; 0 for at once.
    pub not_before: i64,
    /// End of the window, in seconds since the Unix epoch; 0 for none.
    pub not_after: i64,
    /// Tasks at the same time.
    pub concurrency: u32,
    /// Seconds a task may run.
    pub timeout_s: u32,
}

impl Binding {
    /// The one digest an approver signs off.
    pub fn digest(&self) -> String {
        digest::of_json("automation.approval.1", self)
    }
}

/// Whole seconds of an optional instant, 0 for none.
pub fn seconds(at: Option<DateTime<Utc>>) -> i64 {
    at.map_or(0, |t| t.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding() -> Binding {
        Binding {
            run_id: "r".into(),
            fingerprint: "f".into(),
            values: "v".into(),
            targets: of_targets(["b", "a"]),
            not_before: 0,
            not_after: 0,
            concurrency: 1,
            timeout_s: 60,
        }
    }

    #[test]
    fn every_field_of_a_binding_counts() {
        let same = binding().digest();
        assert_eq!(same, Binding { targets: of_targets(["a", "b", "a"]), ..binding() }.digest());
        for other in [
            Binding { run_id: "x".into(), ..binding() },
            Binding { fingerprint: "x".into(), ..binding() },
            Binding { values: "x".into(), ..binding() },
            Binding { targets: of_targets(["a"]), ..binding() },
            Binding { not_before: 1, ..binding() },
            Binding { not_after: 1, ..binding() },
            Binding { concurrency: 2, ..binding() },
            Binding { timeout_s: 61, ..binding() },
        ] {
            assert_ne!(same, other.digest(), "{other:?}");
        }
    }
}
