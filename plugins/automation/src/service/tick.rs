//! What happens every minute: runs that the host forgot to tell of, windows, approvals that lapse, timers that got lost.

use std::collections::HashSet;

use plugin_sdk::payloads::jobs::JobSpec;
use serde_json::Value;

use super::Service;
use crate::{entities::run, error::Result, jobs, model::run_state::RunState, store};

/// Rows looked at in one tick.
const MOST: u64 = 500;
/// The first tick of a process comes this soon, in seconds: it takes up what the process before left.
const FIRST_S: i64 = 1;
/// A run that this process is handing over is left alone for so long, in seconds.
const STARTING_S: i64 = 20;

impl Service {
    /// Whether tables and settings can be read.
    ///
    /// # Errors
    /// What cannot.
    pub async fn check(&self) -> Result<()> {
        self.settings().await?;
        store::runs::in_states(&self.db, &[RunState::Starting], 1).await.map(|_| ()).map_err(Into::into)
    }

    /// Set the timers of the engine. The same key replaces, so this may be called at every start.
    pub async fn set_timers(&self) -> Result<()> {
        let now = self.now();
        for (name, every_s, first_s) in [(jobs::TICK, 60, FIRST_S), (jobs::PRUNE, 86_400, 600)] {
            let job = JobSpec {
                key: name.into(),
                name: name.into(),
                at: Some(now + chrono::Duration::seconds(first_s)),
                every_s,
                payload: Value::Null,
            };
            self.host.jobs().schedule(&job).await?;
        }
        self.mend_schedules().await
    }

    /// Put right what is not. A failure of one thing does not keep the others from being looked at.
    pub async fn tick(&self) -> Result<()> {
        self.mend_runs().await?;
        for approval in store::approvals::lapsed(&self.db, self.now(), MOST).await? {
            self.lapse(&approval).await?;
        }
        self.mend_schedules().await
    }

    async fn mend_runs(&self) -> Result<()> {
        let open = [
            RunState::AwaitingApproval,
            RunState::Waiting,
            RunState::Starting,
            RunState::Queued,
            RunState::Running,
        ];
        for row in store::runs::in_states(&self.db, &open, MOST).await? {
            if let Err(error) = self.mend_run(&row).await {
                tracing::warn!(%error, run.id = %row.id, "a run cannot be looked after");
            }
        }
        Ok(())
    }

    async fn mend_run(&self, row: &run::Model) -> Result<()> {
        match (super::runs::state_of(row), &row.operation_id) {
            // The host stopped between a decision and what follows from it.
            (RunState::AwaitingApproval, _) => self.mend_decided(row).await,
            (RunState::Waiting, _) => self.open_window(row).await,
            (RunState::Starting, _) if self.is_left_over(row) => self.dispatch(row.id).await,
            (RunState::Queued | RunState::Running, Some(operation_id)) => {
                let operation = self.host.operations().get(operation_id).await?;
                if operation.finished || operation.counts != store::runs::counts(row) {
                    self.sync(row).await?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Nobody in this process is handing the run over.
    fn is_left_over(&self, row: &run::Model) -> bool {
        row.created_at < self.began || (self.now() - row.created_at).num_seconds() >= STARTING_S
    }

    async fn mend_decided(&self, row: &run::Model) -> Result<()> {
        let approval = store::approvals::of_run(&self.db, row.id).await?;
        match approval.as_ref().map(|a| a.state.as_str()) {
            Some("approved") => {
                let (from, to) = (RunState::AwaitingApproval, RunState::Waiting);
                store::runs::advance(&self.db, row.id, from, to, None, self.now()).await?;
                self.open_window(row).await
            }
            Some("rejected") => {
                self.end_unstarted(row, RunState::Rejected, "rejected", "rejected").await.map(|_| ())
            }
            _ => Ok(()),
        }
    }

    /// Every schedule that runs has its timer.
    async fn mend_schedules(&self) -> Result<()> {
        let set: HashSet<_> = self.host.jobs().list().await?.into_iter().map(|j| j.key).collect();
        let mut after = None;
        loop {
            let page = store::schedules::enabled(&self.db, after, MOST).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.id);
            for row in page.iter().filter(|s| !set.contains(&jobs::schedule_key(s.id))) {
                self.set_timer(row).await?;
            }
        }
    }
}
