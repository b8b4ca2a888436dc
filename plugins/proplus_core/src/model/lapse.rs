//! What stops between two moments if nobody renews anything.

use chrono::{DateTime, Utc};
use plugin_sdk::payloads::licenses::{EngineFacts, LicenseReport};
use serde::Serialize;
use utoipa::ToSchema;

/// An engine then, compared with now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EngineLapse {
    /// Engine.
    pub engine: String,
    /// Name for people.
    pub name: String,
    /// State now.
    pub now: String,
    /// State then.
    pub then: String,
    /// What the licences will say of it.
    pub sentence: String,
    /// What works now and will not then.
    pub stops: Vec<String>,
    /// What goes on.
    pub continues: Vec<String>,
}

/// A change on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Step {
    /// When.
    pub at: DateTime<Utc>,
    /// Engine.
    pub engine: String,
    /// Name for people.
    pub name: String,
    /// The state it changes to.
    pub state: String,
}

/// Compare.
pub fn compare(now: &LicenseReport, then: &LicenseReport) -> Vec<EngineLapse> {
    then.engines
        .iter()
        .map(|after| {
            let before = now.engines.iter().find(|e| e.id == after.id).unwrap_or(after);
            let (stops, continues) = effects(rank(&before.state), rank(&after.state), after);
            EngineLapse {
                engine: after.id.clone(),
                name: after.name.clone(),
                now: before.state.clone(),
                then: after.state.clone(),
                sentence: after.sentence.clone(),
                stops,
                continues,
            }
        })
        .collect()
}

/// 2 everything, 1 reading, 0 nothing. Grace still is everything.
fn rank(state: &str) -> u8 {
    match state {
        "granted" | "grace" => 2,
        "read_only" => 1,
        _ => 0,
    }
}

fn effects(before: u8, after: u8, engine: &EngineFacts) -> (Vec<String>, Vec<String>) {
    let writes = || {
        let mut all = vec!["Changes through its pages and its API".to_owned()];
        all.extend(engine.commands.iter().map(|c| format!("On machines: {}", c.trim_end_matches('.'))));
        if engine.jobs > 0 {
            all.push(format!("{} timers: schedules and background work", engine.jobs));
        }
        all
    };
    let reads = || {
        let pages = engine.pages.iter().map(|p| format!("The page {p}"));
        pages.chain(["Reading and export through its API".to_owned()]).collect::<Vec<_>>()
    };
    let kept = "Its data stays and comes back with a licence".to_owned();
    let (mut stops, mut goes_on) = (Vec::new(), Vec::new());
    if before == 2 {
        if after < 2 { stops.extend(writes()) } else { goes_on.extend(writes()) }
    }
    if before >= 1 {
        if after < 1 { stops.extend(reads()) } else { goes_on.extend(reads()) }
    }
    goes_on.push(kept);
    (stops, goes_on)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(state: &str) -> LicenseReport {
        let engine = EngineFacts {
            id: "automation".into(),
            state: state.into(),
            pages: vec!["Scripts".into()],
            commands: vec!["Runs a script.".into()],
            jobs: 2,
            ..Default::default()
        };
        LicenseReport { engines: vec![engine], ..Default::default() }
    }

    #[test]
    fn read_only_stops_writing_and_locked_stops_reading_too() {
        let lapse = |then| compare(&report("granted"), &report(then)).remove(0);
        assert_eq!(lapse("grace").stops, Vec::<String>::new());
        let read_only = lapse("read_only");
        assert!(read_only.stops.iter().any(|s| s == "On machines: Runs a script"));
        assert!(read_only.continues.iter().any(|s| s == "The page Scripts"));
        let locked = lapse("locked");
        assert!(locked.stops.iter().any(|s| s == "The page Scripts"));
        assert_eq!(locked.continues, ["Its data stays and comes back with a licence"]);
    }
}
