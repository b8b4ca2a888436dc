//! The commands every agent has: who runs which, and how a job's end becomes a result.

use std::{path::PathBuf, sync::Arc};

use agent_protocol::core_command::CoreCommand;
use plugin_api::EngineError;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::{
    io::TaskIo,
    job::{self, Followed, Job, JobDir, Runner},
    packages::{self, Failure},
    power, self_update, services, users,
};
use crate::{
    clock::now_ms,
    config::Power,
    engines::Engines,
    facts,
    inventory::{self, SECTIONS},
    inventory_state::InventoryState,
    update::Handover,
};

/// What core commands need of the agent.
pub struct Surroundings {
    /// Inventory, refreshed after changes.
    pub inventory: Arc<InventoryState>,
    /// How to start jobs.
    pub runner: Runner,
    /// How this machine is restarted.
    pub power: Power,
    /// The data folder.
    pub data: PathBuf,
    /// Where releases of the agent come from.
    pub engines: Arc<Engines>,
    /// How the agent becomes another.
    pub handover: Arc<Handover>,
    /// Cancelled when the agent ends: jobs go on without it.
    pub leave: CancellationToken,
}

/// One command.
pub struct Call<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its parameters, JSON.
    pub payload: &'a str,
    /// Its folder, if it becomes a job.
    pub dir: &'a JobDir,
    /// Its side of the agent.
    pub io: &'a TaskIo,
    /// Bytes of both streams that the spool has from an agent before this one.
    pub taken: [u64; 2],
}

/// What running a command came to.
#[derive(Debug)]
pub enum Finished {
    /// It is over.
    Answer(Result<Vec<u8>, EngineError>),
    /// The agent ends; the next one goes on with it.
    Left,
}

/// A failure as a result carries it.
#[derive(Debug, Serialize)]
pub struct Told {
    code: &'static str,
    message: String,
}

impl From<Failure> for Told {
    fn from(failure: Failure) -> Self {
        Self { code: failure.code, message: failure.message }
    }
}

/// It did not succeed.
pub fn failed(code: &str, message: impl Into<String>) -> Finished {
    Finished::Answer(Err(EngineError::new(code, message)))
}

pub use plugin_api::error::encode;

/// Those of `names` that this agent collects.
pub fn known_sections(names: &[&str]) -> Vec<&'static str> {
    SECTIONS.into_iter().filter(|section| names.contains(section)).collect()
}

#[derive(Serialize)]
struct Pong<'a> {
    agent_version: &'a str,
    now_unix_ms: i64,
}

#[derive(Serialize)]
struct Refreshed {
    collected: Vec<&'static str>,
    changed: Vec<&'static str>,
}

impl Surroundings {
    /// Run a command from its beginning.
    pub async fn run(&self, call: &Call<'_>, command: &CoreCommand) -> Finished {
        use CoreCommand as C;
        match command {
            C::Ping => {
                let pong = Pong { agent_version: facts::VERSION, now_unix_ms: now_ms() };
                Finished::Answer(encode(&pong))
            }
            C::RefreshInventory(asked) => {
                let wanted: Vec<&str> = asked.sections.iter().map(String::as_str).collect();
                let collected = if wanted.is_empty() { SECTIONS.to_vec() } else { known_sections(&wanted) };
                let changed = self.inventory.refresh(&collected).await;
                Finished::Answer(encode(&Refreshed { collected, changed }))
            }
            C::UsersList => Finished::Answer(users::list(self.inventory.root())),
            C::Install(_) | C::Remove(_) | C::Upgrade(_) | C::Refresh(_) => {
                packages::run(self, call, command).await
            }
            C::Service(verb, services) => services::run(self, call, *verb, services).await,
            C::AgentUpdate(asked) => self_update::run(self, call, asked).await,
            C::Reboot(asked) => power::reboot(self, call, asked).await,
            C::Shutdown(asked) => power::shutdown(self, asked).await,
        }
    }

    /// Go on with a job that an agent before this one began.
    pub async fn resume(&self, call: &Call<'_>, job: Job) -> Finished {
        match job {
            Job::Process { .. } => self.process(call).await,
            Job::Update { from, to } => self_update::resume(self, &from, &to).await,
            Job::Reboot { boot_id, due, message } => {
                power::await_reboot(self, call, &boot_id, due, &message).await
            }
        }
    }

    /// Start the job in the call's folder unless it was started, follow it, and make its result.
    pub async fn process(&self, call: &Call<'_>) -> Finished {
        if let Err(error) = job::launch(&self.runner, call.dir).await {
            return failed("not_started", format!("The command cannot be started: {error}."));
        }
        match job::follow(call.dir, call.io, call.taken, packages::progress, &self.leave).await {
            Ok(Followed::Left) => Finished::Left,
            Ok(Followed::Lost) => failed(
                "job_lost",
                "The process that ran the command was ended from outside; how far it got is not known.",
            ),
            Ok(Followed::Ended(exit)) => self.conclude(call, exit).await,
            Err(error) => failed("job_lost", format!("What the command wrote cannot be read: {error}.")),
        }
    }

    async fn conclude(&self, call: &Call<'_>, exit: packages::Exit) -> Finished {
        use CoreCommand as C;
        match CoreCommand::parse(call.name, call.payload.as_bytes()) {
            Some(Ok(C::Service(verb, asked))) => services::finish(self, call, verb, &asked, exit).await,
            Some(Ok(command)) => packages::finish(self, call, &command, exit).await,
            _ => failed("unknown_command", "An older agent began this; how it ended cannot be told."),
        }
    }

    /// Versions of what is installed now.
    pub async fn installed(&self) -> std::collections::BTreeMap<String, String> {
        let root = self.inventory.root().clone();
        let read = tokio::task::spawn_blocking(move || inventory::collect(&root, "packages")).await;
        read.ok().flatten().map(|section| packages::installed(&section.body)).unwrap_or_default()
    }
}
