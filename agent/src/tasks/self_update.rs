//! `core.agent.update`: from the command to the handover, and what came of it afterwards.

use agent_protocol::core_command::AgentUpdate;
use plugin_api::error::encode;
use serde::Serialize;

use super::{
    builtin::{Call, Finished, Surroundings, failed},
    job::Job,
};
use crate::update::{self, Chosen};

#[derive(Serialize)]
struct Updated<'a> {
    from: &'a str,
    to: &'a str,
}

/// Fetch, verify, and end as this version. The next one goes on with the task.
pub(super) async fn run(around: &Surroundings, call: &Call<'_>, asked: &AgentUpdate) -> Finished {
    let (client, trust) = around.engines.sources();
    let from = update::running().to_string();
    let staged = match update::stage(&around.data, asked, client, trust).await {
        Ok(Some(staged)) => staged,
        Ok(None) => return Finished::Answer(encode(&Updated { from: &from, to: &from })),
        Err(error) => return failed(error.code(), error.to_string()),
    };
    let job = Job::Update { from, to: staged.version.to_string() };
    if let Err(error) = call.dir.create(&job) {
        return failed("not_started", format!("The update cannot be written down: {error}."));
    }
    around.handover.to(staged);
    around.leave.cancelled().await;
    Finished::Left
}

/// What came of it.
pub(super) async fn resume(around: &Surroundings, from: &str, to: &str) -> Finished {
    if update::on_trial() {
        // Whoever tries this program out decides; the next agent reports.
        around.leave.cancelled().await;
        return Finished::Left;
    }
    let running = update::running().to_string();
    if running == to {
        return Finished::Answer(encode(&Updated { from, to }));
    }
    match update::chosen(&around.data) {
        Some(Chosen::RolledBack { version, reason }) if version.to_string() == to => failed(
            "update_rolled_back",
            format!("Version {to} failed its trial: {reason}. {running} goes on."),
        ),
        _ => failed(
            "update_interrupted",
            format!("The agent was ended while it became {to}; {running} goes on."),
        ),
    }
}
