//! The dispatcher: the only place where tasks change, one batch after the other.
//!
//! Everything that happens to tasks comes in through one queue. The loop takes what has gathered, works it out in
//! memory with the pure function [`super::state::next`], writes all of it in **one transaction**, and only then acts:
//! sends commands, acknowledges results and output, publishes events. So nothing is acknowledged that a crash could
//! lose, nothing is sent that the database does not know of, and ten thousand agents share one commit.

mod batch;
mod effects;
mod live;
mod load;
mod output;
mod pump;

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, RwLock},
    time::Duration,
};

use agent_protocol::task::{Output, Progress, TaskNote, TaskResult};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::listener::TaskListener;
use crate::{clock::SharedClock, db::Db, events::Events, gateway::Sessions, secrets::Secrets};

use batch::Batch;
use live::Live;

/// Signals that may wait before senders do.
const QUEUE: usize = 8192;
/// Signals worked out in one transaction.
const BATCH: usize = 2048;
/// How often deadlines are looked at and events are flushed.
const TICK: Duration = Duration::from_millis(200);

/// Something for the dispatcher.
#[derive(Debug)]
pub(crate) enum Signal {
    /// An operation was committed.
    Created(Uuid),
    /// A machine said hello.
    Connected {
        machine: Uuid,
        session: Uuid,
        notes: Vec<TaskNote>,
    },
    /// A session ended.
    Disconnected {
        machine: Uuid,
        session: Uuid,
    },
    Accepted {
        machine: Uuid,
        task: Uuid,
    },
    Started {
        machine: Uuid,
        task: Uuid,
    },
    Progress {
        machine: Uuid,
        progress: Progress,
    },
    Result {
        machine: Uuid,
        result: TaskResult,
    },
    Output {
        machine: Uuid,
        output: Output,
    },
    /// Stop tasks of an operation; all of them when `tasks` is `None`. Answers how many were open.
    Cancel {
        operation: Uuid,
        tasks: Option<HashSet<Uuid>>,
        done: oneshot::Sender<usize>,
    },
    /// A machine was removed or rejected.
    MachineRemoved(Uuid),
    /// Answer when everything before this is committed.
    Barrier(oneshot::Sender<()>),
}

/// What the dispatcher needs of the host.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub db: Db,
    pub clock: SharedClock,
    pub events: Events,
    pub sessions: Sessions,
    pub listener: Arc<RwLock<Option<Arc<dyn TaskListener>>>>,
    pub secrets: Secrets,
    pub finished: Arc<Notify>,
}

/// The handle to the dispatcher. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Dispatcher {
    sender: mpsc::Sender<Signal>,
    receiver: Arc<Mutex<Option<mpsc::Receiver<Signal>>>>,
    surroundings: Surroundings,
}

impl Dispatcher {
    pub fn new(surroundings: Surroundings) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        Self { sender, receiver: Arc::new(Mutex::new(Some(receiver))), surroundings }
    }

    /// Hand over a signal; waits while the queue is full. False when the dispatcher has stopped.
    pub async fn signal(&self, signal: Signal) -> bool {
        self.sender.send(signal).await.is_ok()
    }

    /// The loop; runs until `stop`. A second call returns at once.
    pub async fn run(&self, stop: CancellationToken) {
        let receiver = self.receiver.lock().unwrap_or_else(|e| e.into_inner()).take();
        let Some(mut receiver) = receiver else { return };
        let mut dispatch =
            Loop { live: Live::default(), around: self.surroundings.clone(), events: Default::default() };
        dispatch.reload(&stop).await;
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut gathered = Vec::with_capacity(64);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                n = receiver.recv_many(&mut gathered, BATCH) => if n == 0 { break },
                _ = tick.tick() => dispatch.live.look_at_clock = true,
            }
            dispatch.turn(std::mem::take(&mut gathered), &stop).await;
        }
        // What was handed over before the stop is still committed; what could not be is sent again by the agents.
        receiver.close();
        receiver.recv_many(&mut gathered, QUEUE).await;
        dispatch.turn(gathered, &stop).await;
    }
}

struct Loop {
    live: Live,
    around: Surroundings,
    events: effects::PendingEvents,
}

impl Loop {
    /// One batch: work it out, commit it, act.
    async fn turn(&mut self, signals: Vec<Signal>, stop: &CancellationToken) {
        let now = self.around.clock.now();
        let mut batch = Batch::new(now);
        for signal in signals {
            self.apply(signal, &mut batch).await;
        }
        self.live.fail_refused(&mut batch);
        if std::mem::take(&mut self.live.look_at_clock) {
            self.live.expire(&mut batch);
            self.events.due = true;
        }
        if !stop.is_cancelled() {
            self.live.pump(&mut batch, &self.around.sessions);
        }
        match self.commit(&batch).await {
            Ok(()) => self.act(batch).await,
            Err(error) => self.recover(error, stop).await,
        }
    }

    async fn apply(&mut self, signal: Signal, batch: &mut Batch) {
        match signal {
            Signal::Created(operation) => self.created(operation, batch).await,
            Signal::Connected { machine, session, notes } => {
                self.live.connected(machine, session, &notes, batch)
            }
            Signal::Disconnected { machine, session } => self.live.disconnected(machine, session),
            Signal::Accepted { machine, task } => self.live.accepted(machine, task, batch),
            Signal::Started { machine, task } => self.live.started(machine, task, batch),
            Signal::Progress { machine, progress } => self.live.progress(machine, progress, batch),
            Signal::Result { machine, result } => self.live.result(machine, result, batch),
            Signal::Output { machine, output } => self.live.output(machine, output, batch),
            Signal::Cancel { operation, tasks, done } => {
                let count = self.live.cancel(operation, tasks.as_ref(), batch);
                batch.answers.push((done, count));
            }
            Signal::MachineRemoved(machine) => self.live.machine_removed(machine, batch),
            Signal::Barrier(done) => batch.barriers.push(done),
        }
    }

    /// Write the batch, trying again while the database is busy.
    async fn commit(&self, batch: &Batch) -> Result<(), sea_orm::DbErr> {
        if batch.is_empty() {
            return Ok(());
        }
        let mut wait = Duration::from_millis(20);
        for _ in 0..5 {
            match batch.commit(&self.around.db).await {
                Ok(()) => return Ok(()),
                Err(error) => tracing::warn!(%error, "operations: a commit failed, trying again"),
            }
            tokio::time::sleep(wait).await;
            wait *= 3;
        }
        batch.commit(&self.around.db).await
    }

    /// The database does not take the batch: forget what is in memory, and let the agents say everything again.
    async fn recover(&mut self, error: sea_orm::DbErr, stop: &CancellationToken) {
        tracing::error!(%error, "operations: a batch could not be stored; agents are asked to come back");
        self.around
            .sessions
            .disconnect_all("host_trouble", "The host could not store what you sent; send it again.");
        self.reload(stop).await;
    }
}
