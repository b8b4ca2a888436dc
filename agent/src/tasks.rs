//! Runs commands: a few at once, each with a deadline, cancellable, its output streamed through the spool.

mod builtin;
mod end;
mod io;
pub mod job;
pub mod packages;
mod power;
mod self_update;
pub mod services;
mod users;

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use agent_protocol::{
    UnixMs,
    core_command::CoreCommand,
    task::{Command, Outcome, Started, TaskResult},
};
use plugin_runtime::CommandIo as _;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    clock::now_ms,
    config::Power,
    engines::Engines,
    hub::Hub,
    inventory_state::InventoryState,
    policy::{FORBIDDEN_BY_POLICY, PolicyFile},
    spool::{Accepted, Record, Spool, SpoolError, State},
    update::Handover,
};
use builtin::{Call, Finished, Surroundings};
use end::{End, conclude, result, unknown};
use io::TaskIo;
use job::{Job, JobDir, Runner};

/// How long a command waits for its engine to be loaded.
const ENGINE_WAIT: Duration = Duration::from_secs(60);

/// What running commands needs.
pub struct Tasks {
    spool: Arc<Spool>,
    hub: Arc<Hub>,
    policy: Arc<PolicyFile>,
    engines: Arc<Engines>,
    core: Surroundings,
    /// Folders of jobs.
    jobs: PathBuf,
    bounds: Bounds,
    queue: Mutex<Queue>,
}

/// How jobs are run.
#[derive(Debug)]
pub struct Jobs {
    /// Where each has its folder.
    pub folder: PathBuf,
    /// How they are started.
    pub runner: Runner,
    /// How this machine is restarted and shut down.
    pub power: Power,
    /// The data folder.
    pub data: PathBuf,
    /// How the agent becomes another.
    pub handover: Arc<Handover>,
}

/// Bounds on commands.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// How many run at once.
    pub most: usize,
    /// How long one may run that has no deadline of its own.
    pub default_deadline: Duration,
    /// How long one may still take after it was told to stop.
    pub grace: Duration,
}

struct Queue {
    waiting: VecDeque<Waiting>,
    running: HashMap<Uuid, Running>,
    limit: usize,
    /// The configured bound, which the host may lower only.
    most: usize,
    stopping: bool,
}

struct Running {
    cancel: CancellationToken,
    /// An engine's: it ends with the agent. The core's are quick, or jobs that go on.
    ends_with_agent: bool,
}

impl Queue {
    /// The next command that may begin. The core's own are quick, and never wait for an engine's.
    fn next(&mut self) -> Option<Waiting> {
        if self.running.len() < self.limit {
            return self.waiting.pop_front();
        }
        let core = self.waiting.iter().position(|waiting| is_core(&waiting.command.name))?;
        self.waiting.remove(core)
    }
}

struct Waiting {
    command: Command,
    /// In this machine's time.
    deadline: UnixMs,
}

fn is_core(name: &str) -> bool {
    name.starts_with("core.")
}

/// Run a blocking call of the spool off the reactor.
pub async fn on_spool<T: Send + 'static>(
    spool: &Arc<Spool>,
    call: impl FnOnce(&Spool) -> Result<T, SpoolError> + Send + 'static,
) -> Result<T, SpoolError> {
    let spool = Arc::clone(spool);
    let joined = tokio::task::spawn_blocking(move || call(&spool)).await;
    joined.unwrap_or_else(|e| Err(SpoolError::Damaged(format!("the spool's worker ended: {e}"))))
}

impl Tasks {
    /// Nothing runs yet; see [`Tasks::recover`].
    pub fn new(
        spool: Arc<Spool>,
        hub: Arc<Hub>,
        policy: Arc<PolicyFile>,
        engines: Arc<Engines>,
        inventory: Arc<InventoryState>,
        jobs: Jobs,
        bounds: Bounds,
    ) -> Arc<Self> {
        let most = bounds.most;
        let queue =
            Queue { waiting: VecDeque::new(), running: HashMap::new(), limit: most, most, stopping: false };
        let core = Surroundings {
            inventory,
            runner: jobs.runner,
            power: jobs.power,
            leave: CancellationToken::new(),
            data: jobs.data,
            engines: Arc::clone(&engines),
            handover: jobs.handover,
        };
        Arc::new(Self {
            spool,
            hub,
            policy,
            engines,
            core,
            jobs: jobs.folder,
            bounds,
            queue: Mutex::new(queue),
        })
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many run now.
    pub fn running(&self) -> usize {
        self.queue().running.len()
    }

    /// How many the host wants to run at once; never more than configured.
    pub fn set_limit(self: &Arc<Self>, wanted: usize) {
        let mut queue = self.queue();
        queue.limit = wanted.clamp(1, queue.most);
        drop(queue);
        self.pump();
    }

    /// Finish what the last run of the agent left, and run what it had only accepted.
    pub async fn recover(self: &Arc<Self>) -> Result<(), SpoolError> {
        let jobs: BTreeSet<Uuid> =
            job::known(&self.jobs).into_iter().filter(|task| self.job(*task).is_some()).collect();
        let all = jobs.clone();
        let recovered = on_spool(&self.spool, move |spool| spool.recover_all_but(&all, now_ms())).await?;
        let surviving: BTreeSet<Uuid> = recovered.surviving.iter().map(|(task, _)| *task).collect();
        jobs.difference(&surviving).for_each(|task| JobDir::of(&self.jobs, *task).remove());
        for (task, record) in recovered.surviving {
            tracing::info!(task.id = %task, command = record.name, "a command went on without the agent; following it");
            self.resume(task, record);
        }
        for task in &recovered.interrupted {
            tracing::warn!(task.id = %task, "a command was running when the agent stopped; it is not run again");
        }
        for command in recovered.waiting {
            let record = on_spool(&self.spool, move |spool| spool.record(command.task_id)).await?;
            let deadline = record.map_or(0, |record| record.deadline);
            self.enqueue(command, deadline);
        }
        Ok(())
    }

    /// Take a command from the host: on disk first, then accepted, then run. `deadline` is in this machine's time.
    /// True when the id was known. An error means that it was not taken and the host must send it again.
    pub async fn submit(self: &Arc<Self>, command: Command, deadline: UnixMs) -> Result<bool, SpoolError> {
        let deadline = self.deadline(deadline);
        let task = command.task_id;
        let kept = command.clone();
        match on_spool(&self.spool, move |spool| spool.accept(&kept, deadline, now_ms())).await? {
            Accepted::New => {
                tracing::info!(task.id = %task, command = command.name, "command accepted");
                self.enqueue(command, deadline);
                Ok(false)
            }
            Accepted::Known(state) => {
                // A host that asks again for a finished task wants its result again.
                if matches!(state, State::Finished | State::Acknowledged) {
                    self.hub.send_result_again(task);
                }
                Ok(true)
            }
            Accepted::Full => {
                let end =
                    End::refused("spool_full", "Too much output waits for the host; nothing new is begun.");
                self.hub.send(result(task, end, now_ms()));
                Ok(false)
            }
        }
    }

    fn deadline(&self, deadline: UnixMs) -> UnixMs {
        let latest = now_ms()
            .saturating_add(i64::try_from(self.bounds.default_deadline.as_millis()).unwrap_or(i64::MAX));
        if deadline > 0 { deadline } else { latest }
    }

    fn enqueue(self: &Arc<Self>, command: Command, deadline: UnixMs) {
        self.queue().waiting.push_back(Waiting { command, deadline });
        self.pump();
    }

    /// Begin what may begin.
    fn pump(self: &Arc<Self>) {
        let mut queue = self.queue();
        while !queue.stopping {
            let Some(next) = queue.next() else { return };
            let cancel = CancellationToken::new();
            let running = Running { cancel: cancel.clone(), ends_with_agent: !is_core(&next.command.name) };
            queue.running.insert(next.command.task_id, running);
            let tasks = Arc::clone(self);
            tokio::spawn(async move {
                let task = next.command.task_id;
                tasks.run(next, cancel).await;
                tasks.queue().running.remove(&task);
                tasks.pump();
            });
        }
    }

    /// Stop a task, or do not begin it.
    pub async fn cancel(&self, task: Uuid) -> Result<(), SpoolError> {
        let waiting = {
            let mut queue = self.queue();
            if let Some(running) = queue.running.get(&task) {
                running.cancel.cancel();
                return Ok(());
            }
            let at = queue.waiting.iter().position(|waiting| waiting.command.task_id == task);
            at.and_then(|at| queue.waiting.remove(at)).is_some()
        };
        let end = End::without_success(Outcome::Cancelled, "cancelled", "It was cancelled before it began.");
        let cancelled = result(task, end, now_ms());
        if waiting {
            return self.write_down(cancelled).await;
        }
        // Never heard of: remember the id, so that a late copy of the command does not run.
        let unknown = Command {
            task_id: task,
            name: "core.cancelled".into(),
            payload: Default::default(),
            deadline: 0,
            engine: None,
            attempt: 0,
        };
        on_spool(&self.spool, move |spool| spool.accept(&unknown, now_ms(), now_ms())).await?;
        self.write_down(cancelled).await
    }

    /// Begin nothing more, tell what runs to stop, and wait for it, at most `grace`.
    pub async fn shutdown(&self, grace: Duration) {
        {
            let mut queue = self.queue();
            queue.stopping = true;
            queue.running.values().filter(|r| r.ends_with_agent).for_each(|r| r.cancel.cancel());
        }
        self.core.leave.cancel();
        let all_ended = async {
            while self.running() > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(grace, all_ended).await.is_err() {
            tracing::warn!(
                running = self.running(),
                "commands still run; they will be reported as interrupted"
            );
        }
    }

    async fn run(self: &Arc<Self>, waiting: Waiting, cancel: CancellationToken) {
        let Waiting { command, deadline } = waiting;
        let task = command.task_id;
        let end = match self.admit(&command, deadline, &cancel).await {
            Ok(handler) => match self.start(task).await {
                Ok(true) => match self.execute(handler, command, deadline, cancel).await {
                    Some(end) => end,
                    None => return,
                },
                Ok(false) => return,
                Err(error) => {
                    // Not begun and not written: after a restart it may still run.
                    tracing::error!(%error, task.id = %task, "a command cannot be begun");
                    return;
                }
            },
            Err(end) => end,
        };
        self.end(task, end).await;
    }

    async fn end(&self, task: Uuid, end: End) {
        tracing::info!(task.id = %task, outcome = ?end.outcome, "command ended");
        match self.write_down(result(task, end, now_ms())).await {
            Ok(()) => JobDir::of(&self.jobs, task).remove(),
            Err(error) => {
                tracing::error!(%error, task.id = %task, "a result cannot be written; it is reported after a restart");
            }
        }
    }

    fn job(&self, task: Uuid) -> Option<Job> {
        JobDir::of(&self.jobs, task).job().ok().flatten()
    }

    /// Go on with a job that an agent before this one began.
    fn resume(self: &Arc<Self>, task: Uuid, record: Record) {
        let Some(job) = self.job(task) else { return };
        let cancel = CancellationToken::new();
        self.queue().running.insert(task, Running { cancel: cancel.clone(), ends_with_agent: false });
        let tasks = Arc::clone(self);
        tokio::spawn(async move {
            let resumed = tasks.on_io(task, record.deadline, cancel, async |io| {
                let dir = JobDir::of(&tasks.jobs, task);
                let (command, payload) = match &job {
                    Job::Process { command, payload, .. } => (command.clone(), payload.clone()),
                    Job::Reboot { .. } | Job::Update { .. } => (record.name.clone(), String::new()),
                };
                let call =
                    Call { name: &command, payload: &payload, dir: &dir, io: &io, taken: record.taken };
                tasks.core.resume(&call, job.clone()).await
            });
            if let Some(end) = resumed.await {
                tasks.end(task, end).await;
            }
            tasks.queue().running.remove(&task);
            tasks.pump();
        });
    }

    /// Whether it may run at all, and who runs it.
    async fn admit(
        &self,
        command: &Command,
        deadline: UnixMs,
        cancel: &CancellationToken,
    ) -> Result<Handler, End> {
        if deadline <= now_ms() {
            return Err(End::refused("deadline_passed", "Its deadline had passed before it could begin."));
        }
        if let Err(forbidden) = self.policy.allows_command(&command.name) {
            return Err(End::refused(FORBIDDEN_BY_POLICY, forbidden.to_string()));
        }
        let Some((engine, name)) = command.name.split_once('.') else {
            return Err(End::refused("unknown_command", "A command is named <engine>.<command>."));
        };
        if engine == "core" {
            return match CoreCommand::parse(&command.name, &command.payload) {
                None => Err(unknown(&command.name)),
                Some(Err(invalid)) => Err(End::refused("invalid_parameters", invalid.to_string())),
                Some(Ok(core)) => Ok(Handler::Core(core)),
            };
        }
        let version = command.engine.as_ref().map(|need| need.version.as_str());
        let left = Duration::from_millis(u64::try_from(deadline.saturating_sub(now_ms())).unwrap_or(0));
        let half = tokio::select! {
            half = self.engines.wait_for(engine, version, ENGINE_WAIT.min(left)) => half,
            () = cancel.cancelled() => {
                let message = "It was cancelled before it began.";
                return Err(End::without_success(Outcome::Cancelled, "cancelled", message));
            }
        };
        let half = half.map_err(|missing| End::refused(missing.code(), missing.to_string()))?;
        if !half.manifest().commands.iter().any(|known| known.name == name) {
            return Err(unknown(&command.name));
        }
        Ok(Handler::Engine(half, name.to_owned()))
    }

    async fn start(&self, task: Uuid) -> Result<bool, SpoolError> {
        let at = now_ms();
        let started = on_spool(&self.spool, move |spool| spool.start(task, at)).await?;
        if started {
            self.hub.send(Started { task_id: task, at });
        }
        Ok(started)
    }

    async fn execute(
        self: &Arc<Self>,
        handler: Handler,
        command: Command,
        deadline: UnixMs,
        cancel: CancellationToken,
    ) -> Option<End> {
        let task = command.task_id;
        self.on_io(task, deadline, cancel, async |io| match handler {
            Handler::Core(core) => {
                let dir = JobDir::of(&self.jobs, task);
                let payload = String::from_utf8_lossy(&command.payload);
                let (name, payload) = (command.name.as_str(), payload.as_ref());
                self.core.run(&Call { name, payload, dir: &dir, io: &io, taken: [0, 0] }, &core).await
            }
            Handler::Engine(half, name) => {
                Finished::Answer(run_half(half, name, command, deadline, self.bounds.grace, io).await)
            }
        })
        .await
    }

    /// Run something that may write output; `None` when the agent ends before it does.
    async fn on_io(
        &self,
        task: Uuid,
        deadline: UnixMs,
        cancel: CancellationToken,
        work: impl AsyncFnOnce(Arc<TaskIo>) -> Finished,
    ) -> Option<End> {
        let (io, writer) =
            TaskIo::start(task, Arc::clone(&self.spool), Arc::clone(&self.hub), cancel, deadline);
        let finished = work(Arc::clone(&io)).await;
        let reason = io.stopped_because();
        io.close();
        if let Err(error) = writer.await.unwrap_or(Ok(())) {
            tracing::error!(%error, task.id = %task, "a command's output cannot be written");
        }
        match finished {
            Finished::Answer(answer) => Some(conclude(answer, reason)),
            Finished::Left => None,
        }
    }

    async fn write_down(&self, result: TaskResult) -> Result<(), SpoolError> {
        let task = result.task_id;
        let mut left = 3;
        loop {
            let copy = result.clone();
            match on_spool(&self.spool, move |spool| spool.finish(copy)).await {
                Ok(_) => break,
                // A full disk may have room in a moment.
                Err(error) if left > 0 => {
                    left -= 1;
                    tracing::warn!(%error, task.id = %task, "a result cannot be written; trying again");
                    tokio::time::sleep(Duration::from_secs(2)).await;
                }
                Err(error) => return Err(error),
            }
        }
        self.hub.task_changed(task);
        Ok(())
    }
}

/// Who runs a command.
enum Handler {
    Core(CoreCommand),
    Engine(Arc<dyn plugin_runtime::AgentInstance>, String),
}

/// Engine code runs on a thread of its own: one that blocks holds up nothing but itself.
async fn run_half(
    half: Arc<dyn plugin_runtime::AgentInstance>,
    name: String,
    command: Command,
    deadline: UnixMs,
    grace: Duration,
    io: Arc<TaskIo>,
) -> Result<Vec<u8>, plugin_api::EngineError> {
    let call = plugin_runtime::Command {
        task_id: command.task_id.to_string(),
        name,
        payload: command.payload.into_vec(),
        deadline_unix_ms: deadline,
    };
    let runtime = tokio::runtime::Handle::current();
    let stop = Arc::clone(&io);
    let mut thread = tokio::task::spawn_blocking(move || runtime.block_on(half.command(call, io, grace)));
    let overdue = async {
        stop.cancelled().await;
        // The runtime drops a command after the grace; a thread that does not even come back is left behind.
        tokio::time::sleep(grace * 2).await;
    };
    tokio::select! {
        joined = &mut thread => {
            joined.unwrap_or_else(|_| Err(plugin_api::EngineError::panicked("a command")))
        }
        () = overdue => {
            Err(plugin_api::EngineError::new("engine_hangs", "The command did not end when it was told to."))
        }
    }
}
