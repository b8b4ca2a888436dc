//! Results of a run: by machine, and grouped by identical text.

use plugin_sdk::{Ctx, payloads::operations::OutputRequest};
use uuid::Uuid;

use super::{Service, output::text_of};
use crate::{
    error::Result,
    permissions,
    store::{self, PageRequest, targets::Filter, targets::Group},
    views::{GroupMachine, GroupView, Page, ResultView},
};

/// Machines named in a group.
const NAMED: u64 = 50;
/// Bytes of the text shown of a group.
const SAMPLE_BYTES: u32 = 4_096;
/// Groups whose text is shown; the others are rare.
const SAMPLES: usize = 20;

/// Filters and page of results.
#[derive(Debug, Clone)]
pub struct ResultQuery {
    /// Filters.
    pub filter: Filter,
    /// Page.
    pub page: PageRequest,
}

impl Service {
    /// A page of results, in the order of the targets.
    pub async fn list_results(
        &self,
        ctx: &Ctx,
        run_id: Uuid,
        query: &ResultQuery,
    ) -> Result<Page<ResultView>> {
        ctx.require(permissions::RUNS_READ)?;
        self.seen_run(ctx, run_id).await?;
        let (filter, page) = (&query.filter, query.page);
        let rows = store::targets::list(&self.db, run_id, filter, page.after, page.limit).await?;
        Ok(Page::of(rows, page.limit, |t| t.id, ResultView::from))
    }

    /// Machines grouped by outcome and identical output, largest group first.
    pub async fn group_results(&self, ctx: &Ctx, run_id: Uuid) -> Result<Vec<GroupView>> {
        ctx.require(permissions::RUNS_READ)?;
        self.seen_run(ctx, run_id).await?;
        let groups = store::targets::groups(&self.db, run_id).await?;
        let mut views = Vec::with_capacity(groups.len());
        for (at, group) in groups.into_iter().enumerate() {
            views.push(self.group(run_id, group, at < SAMPLES).await?);
        }
        Ok(views)
    }

    async fn group(&self, run_id: Uuid, group: Group, with_sample: bool) -> Result<GroupView> {
        let members = store::targets::of_group(&self.db, run_id, &group, NAMED).await?;
        let task = members.iter().find_map(|t| t.task_id.clone());
        let sample = match task.filter(|_| with_sample && group.digest.is_some()) {
            Some(task_id) => {
                let request = OutputRequest { task_id, after: 0, limit_bytes: SAMPLE_BYTES };
                let output = self.host.operations().output(&request).await?;
                Some(output.chunks.iter().map(|c| text_of(&c.data_base64)).collect())
            }
            None => None,
        };
        Ok(GroupView {
            state: group.state,
            digest: group.digest,
            exit_code: group.exit_code,
            error_code: group.error_code,
            count: group.machines,
            machines: members
                .into_iter()
                .map(|t| GroupMachine { id: t.machine_id, name: t.machine_name })
                .collect(),
            sample,
        })
    }
}
