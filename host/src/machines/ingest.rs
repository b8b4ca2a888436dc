//! Taking in inventory: one worker stores what many machines report, a batch in a transaction.
//!
//! Reports wait for a permit before they are parsed, so that what ten thousand machines say at once is bounded in memory;
//! readers are never blocked, and the database commits once for up to [`BATCH`] sections.

mod apply;
mod batch;
mod catalogue;
mod entries;
mod links;
mod searched;
mod summary;

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use agent_protocol::{
    inventory::{Digest, InventoryDelta, InventorySection},
    items,
};
use sea_orm::DbErr;
use serde_json::Value;
use tokio::sync::{Mutex, Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Machines;
pub(super) use catalogue::Catalogue;
pub(super) use links::{forget, listed};

/// Sections stored in one transaction.
const BATCH: usize = 64;
/// Sections that are parsed and wait, or are being stored.
const PERMITS: usize = 2 * BATCH;
/// How often packages that no machine has any more are forgotten.
const SWEEP: Duration = Duration::from_secs(3600);

/// What a machine says of a section.
#[derive(Debug)]
pub enum Report {
    /// All of it.
    Whole(InventorySection),
    /// What changed.
    Delta(InventoryDelta),
}

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// The host has the section with this digest.
    Stored(Digest),
    /// The change does not fit what the host has: all of it, please.
    Resync,
}

/// Why a section was not stored.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreSectionError {
    /// The data does not hash to its digest.
    #[error("the digest of an inventory section does not match its data")]
    Digest,
    /// The data is no JSON.
    #[error("an inventory section is not JSON")]
    Json,
    /// The host stops.
    #[error("the host is stopping")]
    Stopping,
    /// The database failed.
    #[error(transparent)]
    Database(Arc<DbErr>),
}

impl From<DbErr> for StoreSectionError {
    fn from(error: DbErr) -> Self {
        Self::Database(Arc::new(error))
    }
}

/// A report, parsed.
#[derive(Debug)]
pub(super) struct Parsed {
    machine: Uuid,
    name: String,
    digest: Digest,
    collected_at: i64,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Whole(Value),
    Delta { base: Digest, check: Digest, upserts: Value, removed: Vec<(String, Vec<String>)> },
}

impl Parsed {
    fn of(machine: Uuid, report: Report) -> Result<Self, StoreSectionError> {
        let json = |bytes: &[u8]| serde_json::from_slice(bytes).map_err(|_| StoreSectionError::Json);
        Ok(match report {
            Report::Whole(section) => {
                if items::sha256(&section.data) != section.digest {
                    return Err(StoreSectionError::Digest);
                }
                Self {
                    machine,
                    name: section.name,
                    digest: section.digest,
                    collected_at: section.collected_at,
                    content: Content::Whole(json(&section.data)?),
                }
            }
            Report::Delta(delta) => Self {
                machine,
                name: delta.name,
                digest: delta.digest,
                collected_at: delta.collected_at,
                content: Content::Delta {
                    base: delta.base,
                    check: delta.check,
                    upserts: json(&delta.upserts)?,
                    removed: delta.removed.into_iter().map(|r| (r.member, r.keys)).collect(),
                },
            },
        })
    }
}

struct Job {
    report: Parsed,
    answer: oneshot::Sender<Result<Stored, StoreSectionError>>,
}

/// The way to the worker.
#[derive(Debug)]
pub(super) struct Ingest {
    permits: Semaphore,
    jobs: mpsc::Sender<Job>,
    /// Taken by the worker when it starts.
    waiting: Mutex<Option<mpsc::Receiver<Job>>>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("machine", &self.report.machine).finish_non_exhaustive()
    }
}

impl Ingest {
    pub(super) fn new() -> Self {
        let (jobs, waiting) = mpsc::channel(PERMITS);
        Self { permits: Semaphore::new(PERMITS), jobs, waiting: Mutex::new(Some(waiting)) }
    }
}

impl Machines {
    /// Store what a machine says of a section, with what changed. Waits until it is committed.
    pub async fn store_report(&self, machine: Uuid, report: Report) -> Result<Stored, StoreSectionError> {
        let stopping = |_| StoreSectionError::Stopping;
        let _permit = self.ingest.permits.acquire().await.map_err(|_| StoreSectionError::Stopping)?;
        let report = Parsed::of(machine, report)?;
        let (answer, answered) = oneshot::channel();
        self.ingest.jobs.send(Job { report, answer }).await.map_err(|_| StoreSectionError::Stopping)?;
        answered.await.map_err(stopping)?
    }

    /// Store reports until `stop`.
    pub(super) async fn keep_inventory(&self, stop: CancellationToken) {
        let Some(mut waiting) = self.ingest.waiting.lock().await.take() else { return };
        let mut known = entries::Known::default();
        let mut held_over = None;
        let mut swept = Instant::now();
        loop {
            let first = match held_over.take() {
                Some(job) => job,
                None => tokio::select! {
                    () = stop.cancelled() => return,
                    job = waiting.recv() => match job { Some(job) => job, None => return },
                },
            };
            let mut jobs = vec![first];
            held_over = gather(&mut jobs, &mut waiting);
            self.store_jobs(jobs, &mut known).await;
            if swept.elapsed() >= SWEEP {
                swept = Instant::now();
                if let Err(error) = self.sweep_inventory(&mut known).await {
                    tracing::warn!(%error, "old inventory could not be forgotten");
                }
            }
        }
    }

    async fn store_jobs(&self, jobs: Vec<Job>, known: &mut entries::Known) {
        let begun = Instant::now();
        let (reports, answers): (Vec<Parsed>, Vec<_>) =
            jobs.into_iter().map(|j| (j.report, j.answer)).unzip();
        let mut stored = batch::store(&self.core, &reports, known).await;
        if matches!(&stored, Err(batch::Failed::Forgotten)) {
            // Another node has forgotten what this one remembers.
            known.clear();
            stored = batch::store(&self.core, &reports, known).await;
        }
        metrics::histogram!("sysmanage_inventory_batch_seconds").record(begun.elapsed().as_secs_f64());
        match stored {
            Ok((stored, events)) => {
                metrics::counter!("sysmanage_inventory_sections_total").increment(stored.len() as u64);
                events.into_iter().for_each(|event| self.core.events.publish(event));
                for (answer, stored) in answers.into_iter().zip(stored) {
                    let _ = answer.send(Ok(stored));
                }
            }
            Err(error) => {
                known.clear();
                let error = StoreSectionError::from(DbErr::from(error));
                for answer in answers {
                    let _ = answer.send(Err(error.clone()));
                }
            }
        }
    }
}

/// Take what waits; the first job that must be in a later transaction than another is answered.
fn gather(jobs: &mut Vec<Job>, waiting: &mut mpsc::Receiver<Job>) -> Option<Job> {
    let place = |job: &Job| (job.report.machine, job.report.name.clone());
    let mut places: HashSet<(Uuid, String)> = jobs.iter().map(place).collect();
    while jobs.len() < BATCH {
        let Ok(job) = waiting.try_recv() else { return None };
        if !places.insert(place(&job)) {
            return Some(job);
        }
        jobs.push(job);
    }
    None
}
