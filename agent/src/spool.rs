//! The durable spool: which commands this machine was given, how far each is, and what the host has not yet
//! acknowledged.
//!
//! Every change of a task's state is one transaction, synced to disk before the caller goes on:
//! `accepted` before the host is told so, `started` before anything runs, `finished` with its result before
//! anything is sent. So a command runs at most once, whatever ends the process. A task that was started and not
//! finished is reported as interrupted by [`Spool::recover`]; it is never run again.
//!
//! The spool is bounded: past [`Limits::max_bytes`] new commands are refused and output is counted, not kept.
//! Results are always kept: they are few and small.

mod output;
mod record;

use std::{collections::BTreeSet, path::Path, time::Duration};

use agent_protocol::{
    UnixMs,
    task::{Command, NoteState, Outcome, TaskError, TaskNote, TaskResult},
};
use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

pub use output::{Append, Chunk};
pub use record::{Record, State};

/// Task id to [`Record`]; outlives the result by the retention period.
const TASKS: TableDefinition<u128, &[u8]> = TableDefinition::new("tasks");
/// Task id to the [`Command`], until it has started.
const COMMANDS: TableDefinition<u128, &[u8]> = TableDefinition::new("commands");
/// Task id to the [`TaskResult`], until acknowledged.
const RESULTS: TableDefinition<u128, &[u8]> = TableDefinition::new("results");
/// Task id and chunk number to stream and bytes, until acknowledged.
const OUTPUT: TableDefinition<(u128, u64), &[u8]> = TableDefinition::new("output");
/// Counters.
const META: TableDefinition<&str, u64> = TableDefinition::new("meta");
const WAITING_BYTES: &str = "waiting_bytes";

/// The spool works from few pages; a larger cache would cost memory for nothing.
const CACHE_BYTES: usize = 512 << 10;
/// A file that has grown past this is compacted when it is opened.
const COMPACT_ABOVE: u64 = 8 << 20;

/// The code of a task that was running when the agent stopped.
pub const AGENT_RESTARTED: &str = "agent_restarted";

/// What the spool keeps at most.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of commands, results and output that wait.
    pub max_bytes: u64,
    /// Bytes of output kept of one task.
    pub max_output_bytes: u64,
    /// How long the id of a finished task is remembered, at least a day past its deadline.
    pub retention: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 64 << 20,
            max_output_bytes: 16 << 20,
            retention: Duration::from_secs(30 * 24 * 3600),
        }
    }
}

/// Why the spool cannot do its work.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The database, or the disk below it.
    #[error("the spool's database fails: {0}")]
    Database(#[source] Box<redb::Error>),
    /// A record does not decode.
    #[error("a record of the spool is damaged: {0}")]
    Damaged(String),
}

impl<E: Into<redb::Error>> From<E> for SpoolError {
    fn from(error: E) -> Self {
        Self::Database(Box::new(error.into()))
    }
}

/// What became of an offered command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// It is on disk now, to be run.
    New,
    /// Its id is known; it must not run again.
    Known(State),
    /// The spool is full.
    Full,
}

/// What a restart found.
#[derive(Debug, Default)]
pub struct Recovered {
    /// Commands that were accepted and never started, oldest first; they may run.
    pub waiting: Vec<Command>,
    /// Tasks that were running when the agent ended, now finished as interrupted.
    pub interrupted: Vec<Uuid>,
    /// Tasks that were running and go on without the agent; still running here.
    pub surviving: Vec<(Uuid, Record)>,
}

/// The durable spool. All methods block on the disk; call them off the reactor.
#[derive(Debug)]
pub struct Spool {
    db: Database,
    limits: Limits,
}

impl Spool {
    /// Open or create the database at `path` (mode 0600).
    pub fn open(path: &Path, limits: Limits) -> Result<Self, SpoolError> {
        drop(crate::storage::append_private(path).map_err(redb::Error::Io)?);
        let mut db = Database::builder().set_cache_size(CACHE_BYTES).create(path)?;
        if std::fs::metadata(path).is_ok_and(|file| file.len() > COMPACT_ABOVE) {
            db.compact()?;
        }
        let write = db.begin_write()?;
        write.open_table(TASKS)?;
        write.open_table(COMMANDS)?;
        write.open_table(RESULTS)?;
        write.open_table(OUTPUT)?;
        write.open_table(META)?;
        write.commit()?;
        Ok(Self { db, limits })
    }

    /// A transaction that a crash may undo: what the host acknowledged is then sent again, and acknowledged again.
    fn begin_forgettable(&self) -> Result<redb::WriteTransaction, SpoolError> {
        let mut write = self.db.begin_write()?;
        write.set_durability(redb::Durability::None)?;
        Ok(write)
    }

    /// Put a command on disk unless its id is known. `deadline` is in this machine's own time.
    pub fn accept(&self, command: &Command, deadline: UnixMs, now: UnixMs) -> Result<Accepted, SpoolError> {
        let id = command.task_id.as_u128();
        let write = self.db.begin_write()?;
        {
            let mut tasks = write.open_table(TASKS)?;
            if let Some(known) = tasks.get(id)? {
                return Ok(Accepted::Known(decode::<Record>(known.value())?.state));
            }
            let bytes = encode(command)?;
            if waiting_bytes(&write.open_table(META)?)?.saturating_add(bytes.len() as u64)
                > self.limits.max_bytes
            {
                return Ok(Accepted::Full);
            }
            let record = Record::accepted(&command.name, deadline, now);
            tasks.insert(id, encode(&record)?.as_slice())?;
            write.open_table(COMMANDS)?.insert(id, bytes.as_slice())?;
            count(&write, bytes.len() as i64)?;
        }
        write.commit()?;
        Ok(Accepted::New)
    }

    /// Note that the task begins. False when it must not: unknown, begun already, or over.
    pub fn start(&self, task: Uuid, now: UnixMs) -> Result<bool, SpoolError> {
        let id = task.as_u128();
        let write = self.db.begin_write()?;
        {
            let mut tasks = write.open_table(TASKS)?;
            let Some(mut record) = get::<Record>(&tasks, id)? else { return Ok(false) };
            if record.state != State::Accepted {
                return Ok(false);
            }
            record.state = State::Started;
            record.started_at = Some(now);
            tasks.insert(id, encode(&record)?.as_slice())?;
            let freed = write.open_table(COMMANDS)?.remove(id)?.map_or(0, |bytes| bytes.value().len());
            count(&write, -(freed as i64))?;
        }
        write.commit()?;
        Ok(true)
    }

    /// Note how the task ended, with its result. False when it is over already; the first result counts.
    /// `started_at` and `output_chunks` of the result are filled in from the record.
    pub fn finish(&self, result: TaskResult) -> Result<bool, SpoolError> {
        let id = result.task_id.as_u128();
        let write = self.db.begin_write()?;
        {
            let mut tasks = write.open_table(TASKS)?;
            let Some(record) = get::<Record>(&tasks, id)? else { return Ok(false) };
            if !matches!(record.state, State::Accepted | State::Started) {
                return Ok(false);
            }
            finish_in(&write, &mut tasks, record, result)?;
        }
        write.commit()?;
        Ok(true)
    }

    /// The host has the result: forget it, its output, and remember only the id.
    pub fn acknowledge_result(&self, task: Uuid) -> Result<(), SpoolError> {
        let id = task.as_u128();
        let write = self.begin_forgettable()?;
        {
            let mut tasks = write.open_table(TASKS)?;
            let Some(mut record) = get::<Record>(&tasks, id)? else { return Ok(()) };
            if record.state != State::Finished {
                return Ok(());
            }
            record.state = State::Acknowledged;
            tasks.insert(id, encode(&record)?.as_slice())?;
            let freed = write.open_table(RESULTS)?.remove(id)?.map_or(0, |bytes| bytes.value().len());
            let freed = freed as u64 + output::remove(&write, id, u64::MAX)?;
            count(&write, -(freed as i64))?;
        }
        write.commit()?;
        Ok(())
    }

    /// After a start of the agent: finish what was running as interrupted, and list what may still run.
    pub fn recover(&self, now: UnixMs) -> Result<Recovered, SpoolError> {
        self.recover_all_but(&BTreeSet::new(), now)
    }

    /// The same, but tasks in `surviving` are left running.
    pub fn recover_all_but(&self, surviving: &BTreeSet<Uuid>, now: UnixMs) -> Result<Recovered, SpoolError> {
        let mut recovered = Recovered::default();
        let mut waiting: Vec<(UnixMs, Command)> = Vec::new();
        let write = self.db.begin_write()?;
        {
            let mut tasks = write.open_table(TASKS)?;
            let mut open: Vec<(u128, Record)> = Vec::new();
            for entry in tasks.iter()? {
                let (id, bytes) = entry?;
                let record: Record = decode(bytes.value())?;
                if matches!(record.state, State::Accepted | State::Started) {
                    open.push((id.value(), record));
                }
            }
            for (id, record) in open {
                let task_id = Uuid::from_u128(id);
                if record.state == State::Accepted {
                    if let Some(command) = get::<Command>(&write.open_table(COMMANDS)?, id)? {
                        waiting.push((record.accepted_at, command));
                    }
                    continue;
                }
                if surviving.contains(&task_id) {
                    recovered.surviving.push((task_id, record));
                    continue;
                }
                finish_in(&write, &mut tasks, record, interrupted(task_id, now))?;
                recovered.interrupted.push(task_id);
            }
        }
        write.commit()?;
        waiting.sort_by_key(|(accepted_at, command)| (*accepted_at, command.task_id));
        recovered.waiting = waiting.into_iter().map(|(_, command)| command).collect();
        Ok(recovered)
    }

    /// Every task whose result is not acknowledged, for the hello.
    pub fn notes(&self) -> Result<Vec<TaskNote>, SpoolError> {
        let mut notes = Vec::new();
        for entry in self.db.begin_read()?.open_table(TASKS)?.iter()? {
            let (id, bytes) = entry?;
            let state = match decode::<Record>(bytes.value())?.state {
                State::Accepted => NoteState::Accepted,
                State::Started => NoteState::Running,
                State::Finished => NoteState::Finished,
                State::Acknowledged => continue,
            };
            notes.push(TaskNote { task_id: Uuid::from_u128(id.value()), state });
        }
        Ok(notes)
    }

    /// What is known of a task.
    pub fn record(&self, task: Uuid) -> Result<Option<Record>, SpoolError> {
        get(&self.db.begin_read()?.open_table(TASKS)?, task.as_u128())
    }

    /// The result of a task, until it is acknowledged. For a task acknowledged before, what is remembered of it:
    /// a host that asks again has lost it.
    pub fn result(&self, task: Uuid) -> Result<Option<TaskResult>, SpoolError> {
        let read = self.db.begin_read()?;
        if let Some(result) = get(&read.open_table(RESULTS)?, task.as_u128())? {
            return Ok(Some(result));
        }
        let record: Option<Record> = get(&read.open_table(TASKS)?, task.as_u128())?;
        Ok(record
            .filter(|record| record.state == State::Acknowledged)
            .and_then(|record| record.remembered(task)))
    }

    /// Forget the ids of acknowledged tasks whose retention is over. Returns how many.
    pub fn sweep(&self, now: UnixMs) -> Result<usize, SpoolError> {
        let keep = i64::try_from(self.limits.retention.as_millis()).unwrap_or(i64::MAX).max(24 * 3600 * 1000);
        let write = self.db.begin_write()?;
        let mut forgotten = 0;
        {
            let mut tasks = write.open_table(TASKS)?;
            let before = tasks.len()?;
            tasks.retain(|_, bytes| match decode::<Record>(bytes) {
                Ok(record) => {
                    record.state != State::Acknowledged || record.last_use().saturating_add(keep) > now
                }
                Err(_) => true,
            })?;
            forgotten += usize::try_from(before.saturating_sub(tasks.len()?)).unwrap_or(0);
        }
        if forgotten > 0 {
            write.commit()?;
        }
        Ok(forgotten)
    }

    /// Bytes of commands, results and output that wait.
    pub fn waiting_bytes(&self) -> Result<u64, SpoolError> {
        waiting_bytes(&self.db.begin_read()?.open_table(META)?)
    }
}

/// The result of a task that the agent's own end cut short.
fn interrupted(task_id: Uuid, now: UnixMs) -> TaskResult {
    TaskResult {
        task_id,
        outcome: Outcome::Interrupted,
        payload: Default::default(),
        error: Some(TaskError {
            code: AGENT_RESTARTED.into(),
            message: "The agent or the machine stopped while the command ran; how far it got is not known."
                .into(),
        }),
        started_at: None,
        finished_at: now,
        output_chunks: 0,
    }
}

fn finish_in(
    write: &redb::WriteTransaction,
    tasks: &mut redb::Table<'_, u128, &'static [u8]>,
    mut record: Record,
    mut result: TaskResult,
) -> Result<(), SpoolError> {
    let id = result.task_id.as_u128();
    record.state = State::Finished;
    record.outcome = Some(result.outcome);
    record.finished_at = Some(result.finished_at);
    result.started_at = record.started_at;
    result.output_chunks = record.next_chunk;
    let bytes = encode(&result)?;
    tasks.insert(id, encode(&record)?.as_slice())?;
    write.open_table(RESULTS)?.insert(id, bytes.as_slice())?;
    let freed = write.open_table(COMMANDS)?.remove(id)?.map_or(0, |bytes| bytes.value().len());
    count(write, bytes.len() as i64 - freed as i64)
}

fn waiting_bytes(meta: &impl ReadableTable<&'static str, u64>) -> Result<u64, SpoolError> {
    Ok(meta.get(WAITING_BYTES)?.map_or(0, |n| n.value()))
}

fn count(write: &redb::WriteTransaction, change: i64) -> Result<(), SpoolError> {
    let mut meta = write.open_table(META)?;
    let bytes = waiting_bytes(&meta)?.saturating_add_signed(change);
    meta.insert(WAITING_BYTES, bytes)?;
    Ok(())
}

fn get<T: DeserializeOwned>(
    table: &impl ReadableTable<u128, &'static [u8]>,
    id: u128,
) -> Result<Option<T>, SpoolError> {
    table.get(id)?.map(|bytes| decode(bytes.value())).transpose()
}

fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, SpoolError> {
    rmp_serde::to_vec_named(value).map_err(|e| SpoolError::Damaged(e.to_string()))
}

fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, SpoolError> {
    rmp_serde::from_slice(bytes).map_err(|e| SpoolError::Damaged(e.to_string()))
}
