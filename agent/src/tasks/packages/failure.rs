//! Why a run did not succeed: a stable code and a sentence, from how it ended and what it printed.

use super::Exit;

/// Why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Stable snake_case code.
    pub code: &'static str,
    /// What happened and what to do, with the manager's own words.
    pub message: String,
}

/// What a manager prints, the code it means, and what to tell.
pub(super) type Pattern = (&'static str, &'static str, &'static str);

/// Exit codes that are no failure are taken out by the caller.
pub(super) fn of(program: &str, exit: &Exit, output: &str, patterns: &[Pattern]) -> Option<Failure> {
    if exit.code == Some(0) {
        return None;
    }
    if let Some(why) = &exit.not_started {
        let message = format!("`{program}` could not be started: {why}.");
        return Some(Failure { code: "not_started", message });
    }
    let complaints: Vec<&str> = output.lines().filter(|line| is_complaint(line)).collect();
    let said =
        complaints.first().copied().or_else(|| output.lines().rev().find(|line| !line.trim().is_empty()));
    let said = said.map(|line| line.trim().trim_start_matches("E: ")).unwrap_or_default();
    for (pattern, code, advice) in patterns {
        if let Some(line) = output.lines().find(|line| line.contains(pattern)) {
            let message = format!("{advice} {program} says: {}", line.trim().trim_start_matches("E: "));
            return Some(Failure { code, message });
        }
    }
    let message = match (exit.code, exit.signal) {
        (Some(code), _) => format!("`{program}` ended with code {code}: {said}"),
        (None, Some(signal)) => format!("`{program}` was ended by signal {signal}."),
        (None, None) => format!("`{program}` ended, nobody knows how."),
    };
    Some(Failure { code: "command_failed", message })
}

fn is_complaint(line: &str) -> bool {
    ["E: ", "Error", "error", "ERROR"].iter().any(|start| line.trim_start().starts_with(start))
}
