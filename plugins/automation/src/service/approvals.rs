//! Approvals: another person looks at script, values and frozen targets, and signs off exactly those.

use plugin_sdk::Ctx;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Service, check_text, runs::state_of};
use crate::{
    entities::{approval, run},
    error::{Error, Result},
    events,
    model::{limits, run_state::RunState},
    permissions,
    store::{
        self, PageRequest,
        approvals::{Decision, Filter},
        targets::Filter as TargetFilter,
    },
    views::{ApprovalView, Page, RunView, VersionView},
};

/// A yes.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    /// The `binding` that was looked at; a different one is a conflict.
    pub binding: String,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
    /// Seconds from now in which the run must begin; when absent until the approval lapses.
    #[serde(default)]
    pub valid_for_s: Option<u32>,
}

/// A no.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reject {
    /// Why; required.
    pub reason: String,
}

impl Service {
    /// A page of approvals: all for whoever may decide, their own for others.
    pub async fn list_approvals(
        &self,
        ctx: &Ctx,
        state: Option<String>,
        page: PageRequest,
    ) -> Result<Page<ApprovalView>> {
        ctx.require(permissions::RUNS_READ)?;
        let requested_by = (!ctx.allows(permissions::RUNS_APPROVE)).then(|| ctx.principal());
        let rows = store::approvals::list(&self.db, &Filter { state, requested_by }, page).await?;
        Ok(Page::of(rows, page.limit, |a| a.id, ApprovalView::from))
    }

    /// One approval with its run and the text of the script.
    pub async fn get_approval(&self, ctx: &Ctx, id: Uuid) -> Result<ApprovalView> {
        ctx.require(permissions::RUNS_READ)?;
        let approval = self.seen_approval(ctx, id).await?;
        self.show_approval(approval).await
    }

    /// Approve; the run begins when its window is open.
    pub async fn approve(&self, ctx: &Ctx, id: Uuid, approve: Approve) -> Result<ApprovalView> {
        ctx.require(permissions::RUNS_APPROVE)?;
        let (approval, row) = self.to_decide(ctx, id).await?;
        check_text("reason", approve.reason.as_deref().unwrap_or_default())?;
        if approve.binding != approval.binding {
            return Err(Error::BindingDiffers);
        }
        self.reaches_targets(ctx, &row).await?;
        let now = self.now();
        let most = i64::from(approve.valid_for_s.unwrap_or(u32::MAX)).min(limits::APPROVAL_S);
        let mut lapses = row.not_before.unwrap_or(now).max(now) + chrono::Duration::seconds(most);
        if let Some(end) = row.not_after {
            lapses = lapses.min(end);
        }
        if approve.valid_for_s.is_none() && row.not_before.is_none() {
            lapses = lapses.min(approval.expires_at);
        }
        self.decide(ctx, &approval, "approved", approve.reason, lapses).await?;
        store::runs::advance(&self.db, row.id, RunState::AwaitingApproval, RunState::Waiting, None, now)
            .await?;
        if let Some(row) =
            store::runs::get(&self.db, row.id).await?.filter(|r| state_of(r) == RunState::Waiting)
        {
            match row.not_before.filter(|start| *start > now) {
                Some(_) => self.schedule_start(&row).await?,
                None => self.open_window(&row).await?,
            }
        }
        self.show_approval(self.approval(id).await?).await
    }

    /// Reject; the run never begins.
    pub async fn reject(&self, ctx: &Ctx, id: Uuid, reject: Reject) -> Result<ApprovalView> {
        ctx.require(permissions::RUNS_APPROVE)?;
        let (approval, row) = self.to_decide(ctx, id).await?;
        check_text("reason", &reject.reason)?;
        let reason = reject.reason.trim().to_owned();
        if reason.is_empty() {
            return Err(Error::invalid("reason", "a rejection says why"));
        }
        let lapses = approval.expires_at;
        self.decide(ctx, &approval, "rejected", Some(reason.clone()), lapses).await?;
        self.end_unstarted(&row, RunState::Rejected, &reason, "rejected").await?;
        self.show_approval(self.approval(id).await?).await
    }

    /// An approval that this actor may decide on.
    async fn to_decide(&self, ctx: &Ctx, id: Uuid) -> Result<(approval::Model, run::Model)> {
        let approval = self.seen_approval(ctx, id).await?;
        // A token without a known owner could be the requester's own.
        if ctx.user.is_none() && ctx.actor.starts_with("token:") {
            return Err(Error::ApproverUnknown);
        }
        let row = store::runs::get(&self.db, approval.run_id).await?;
        let row = row.ok_or_else(|| Error::not_found("run", approval.run_id))?;
        if [&approval.requested_by, &row.principal].contains(&&ctx.principal()) {
            return Err(Error::SelfApproval);
        }
        if approval.state == "pending" && approval.expires_at <= self.now() {
            self.lapse(&approval).await?;
            return Err(Error::Decided("expired".into()));
        }
        if approval.state != "pending" {
            return Err(Error::Decided(approval.state));
        }
        Ok((approval, row))
    }

    /// Nobody approves a run on machines they could not run it on themselves.
    async fn reaches_targets(&self, ctx: &Ctx, row: &run::Model) -> Result<()> {
        if ctx.scope.is_empty() {
            return Ok(());
        }
        let targets = store::targets::all(&self.db, row.id, &TargetFilter::default()).await?;
        let machine_ids = targets.into_iter().map(|t| t.machine_id).collect();
        let targets = super::freeze::Targets { selector: String::new(), machine_ids };
        match self.freeze(ctx, &targets).await {
            Ok(_) => Ok(()),
            Err(Error::MachinesUnknown(ids)) => Err(Error::TargetsOutOfReach(ids.len())),
            Err(e) => Err(e),
        }
    }

    async fn decide(
        &self,
        ctx: &Ctx,
        approval: &approval::Model,
        state: &'static str,
        reason: Option<String>,
        expires_at: chrono::DateTime<chrono::Utc>,
    ) -> Result<()> {
        let decision = Decision {
            state,
            by: ctx.principal(),
            by_name: ctx.actor_name.clone(),
            at: self.now(),
            reason: reason.clone(),
            expires_at,
        };
        if !store::approvals::decide(&self.db, approval.id, &decision).await? {
            return Err(Error::Decided("decided meanwhile".into()));
        }
        let after = json!({
            "run_id": approval.run_id, "state": state, "binding": approval.binding, "reason": reason,
            "expires_at": expires_at,
        });
        let entity = ("approval", approval.id.to_string());
        self.audit(ctx, &format!("approval.{state}"), entity, json!({ "state": "pending" }), after.clone())
            .await;
        self.publish(events::event(events::APPROVAL_DECIDED, permissions::RUNS_READ, after)).await;
        Ok(())
    }

    /// End an approval, and the run that waits for it, whose time has passed.
    pub(super) async fn lapse(&self, approval: &approval::Model) -> Result<()> {
        if let Some(row) = store::runs::get(&self.db, approval.run_id).await?
            && matches!(state_of(&row), RunState::AwaitingApproval | RunState::Waiting)
        {
            let reason = match approval.state.as_str() {
                "pending" => "nobody approved it in time",
                _ => "it did not begin while its approval was valid",
            };
            self.end_unstarted(&row, RunState::Expired, reason, "expired").await?;
        }
        for open in ["pending", "approved"] {
            store::approvals::advance(&self.db, approval.id, open, "expired", None).await?;
        }
        let after = json!({ "run_id": approval.run_id, "state": "expired" });
        let entity = ("approval", approval.id.to_string());
        self.audit(
            &super::system(),
            "approval.expired",
            entity,
            json!({ "state": approval.state }),
            after.clone(),
        )
        .await;
        self.publish(events::event(events::APPROVAL_DECIDED, permissions::RUNS_READ, after)).await;
        Ok(())
    }

    async fn approval(&self, id: Uuid) -> Result<approval::Model> {
        store::approvals::get(&self.db, id).await?.ok_or_else(|| Error::not_found("approval", id))
    }

    async fn seen_approval(&self, ctx: &Ctx, id: Uuid) -> Result<approval::Model> {
        let approval = self.approval(id).await?;
        if approval.requested_by != ctx.principal() && !ctx.allows(permissions::RUNS_APPROVE) {
            return Err(Error::not_found("approval", id));
        }
        Ok(approval)
    }

    async fn show_approval(&self, approval: approval::Model) -> Result<ApprovalView> {
        let run = store::runs::get(&self.db, approval.run_id).await?;
        let version = match &run {
            Some(run) => store::scripts::version_by_id(&self.db, run.version_id).await?,
            None => None,
        };
        Ok(ApprovalView {
            run: run.map(RunView::from),
            version: version.map(VersionView::from),
            ..ApprovalView::from(approval)
        })
    }
}
