//! What the pages show: overview, matrix, lapse, machines over time.

use chrono::{DateTime, TimeDelta, Utc};
use plugin_sdk::{
    Ctx, EngineError,
    payloads::licenses::{LicenseFacts, LicenseReport},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Coverage, Result, allowed, notices::days_left};
use crate::{
    entities::usage,
    model::{catalogue, lapse},
    permissions::READ,
};

/// Most changes shown on the way to a date.
const STEPS: usize = 60;

/// A licence.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LicenseView {
    /// Id.
    pub id: String,
    /// Organisation.
    pub organisation: String,
    /// Customer number.
    pub customer: String,
    /// Tier, for display.
    pub tier: String,
    /// Engines and versions.
    pub engines: Vec<String>,
    /// Begins.
    pub not_before: Option<DateTime<Utc>>,
    /// Ends; absent for never.
    pub expires_at: Option<DateTime<Utc>>,
    /// Grace ends.
    pub grace_until: Option<DateTime<Utc>>,
    /// Builds up to then keep working for ever.
    pub support_until: Option<DateTime<Utc>>,
    /// Days until the end, negative after it; absent for never.
    pub days_left: Option<i64>,
    /// `trial`, `active`, `ending` within 30 days, `grace`, `lapsed`, `revoked`, `not_yet`.
    pub standing: String,
    /// A trial.
    pub trial: bool,
    /// Why it was revoked.
    pub revoked: Option<String>,
}

/// The overview.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Overview {
    /// Id of the host's key.
    pub instance: String,
    /// Licences.
    pub licenses: Vec<LicenseView>,
    /// Machines approved.
    pub machines: u64,
    /// Most that may be; absent for no limit.
    pub machine_limit: Option<u64>,
    /// Engines that work, and all that need a licence.
    pub engines_granted: usize,
    /// All that need a licence.
    pub engines: usize,
    /// The next change of any engine.
    pub next_change: Option<lapse::Step>,
    /// Whether the clock of this host was set back.
    pub clock_set_back: bool,
}

/// What stops.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Lapse {
    /// The day asked about; never before now.
    pub at: DateTime<Utc>,
    /// Engine by engine.
    pub engines: Vec<lapse::EngineLapse>,
    /// What changes on the way, in order.
    pub timeline: Vec<lapse::Step>,
    /// In one sentence.
    pub sentence: String,
}

impl Coverage {
    pub async fn overview(&self, ctx: &Ctx) -> Result<Overview> {
        allowed(ctx, READ)?;
        let report = self.host.licenses().explain(None).await?;
        let now = Utc::now();
        Ok(Overview {
            machines: report.machines.approved,
            machine_limit: report.machines.limit,
            engines_granted: report.engines.iter().filter(|e| e.state == "granted").count(),
            engines: report.engines.len(),
            next_change: steps(&report).into_iter().min_by_key(|s| s.at),
            clock_set_back: report.clock_set_back,
            instance: report.instance,
            licenses: report.licenses.into_iter().map(|l| view(l, now)).collect(),
        })
    }

    pub async fn matrix(&self, ctx: &Ctx) -> Result<Vec<catalogue::Row>> {
        allowed(ctx, READ)?;
        Ok(catalogue::matrix(&self.host.licenses().explain(None).await?))
    }

    /// What stops until `at` if nobody renews anything.
    pub async fn lapse(&self, ctx: &Ctx, at: DateTime<Utc>) -> Result<Lapse> {
        allowed(ctx, READ)?;
        let now = self.host.licenses().explain(None).await?;
        let then = self.host.licenses().explain(Some(at)).await?;
        let engines = lapse::compare(&now, &then);
        let stopping = engines.iter().filter(|e| !e.stops.is_empty()).count();
        Ok(Lapse {
            at: then.at.unwrap_or(at),
            sentence: match stopping {
                0 => "Nothing stops until then.".to_owned(),
                1 => "Part of one engine stops until then; no data is lost.".to_owned(),
                n => format!("Part of {n} engines stops until then; no data is lost."),
            },
            timeline: self.timeline(now, at).await?,
            engines,
        })
    }

    async fn timeline(
        &self,
        mut report: LicenseReport,
        until: DateTime<Utc>,
    ) -> std::result::Result<Vec<lapse::Step>, EngineError> {
        let mut all = Vec::new();
        while all.len() < STEPS {
            let mut next = steps(&report);
            let Some(at) = next.iter().map(|s| s.at).min().filter(|at| *at <= until) else { break };
            next.retain(|s| s.at == at);
            all.append(&mut next);
            report = self.host.licenses().explain(Some(at)).await?;
            if report.at.is_none_or(|then| then < at) {
                break;
            }
        }
        all.truncate(STEPS);
        Ok(all)
    }

    /// Machines a day, oldest first.
    pub async fn usage(&self, ctx: &Ctx, days: i64) -> Result<Vec<usage::Model>> {
        allowed(ctx, READ)?;
        let days = days.clamp(1, 3_660);
        let since = (Utc::now() - TimeDelta::days(days)).format("%Y-%m-%d").to_string();
        Ok(self.store.usage_since(&since, 3_661).await?)
    }
}

fn steps(report: &LicenseReport) -> Vec<lapse::Step> {
    let step = |e: &plugin_sdk::payloads::licenses::EngineFacts| {
        let next = e.next_change.as_ref()?;
        Some(lapse::Step {
            at: next.at?,
            engine: e.id.clone(),
            name: e.name.clone(),
            state: next.state.clone(),
        })
    };
    report.engines.iter().filter_map(step).collect()
}

fn view(l: LicenseFacts, now: DateTime<Utc>) -> LicenseView {
    let left = l.expires_at.map(|end| days_left(end, now));
    LicenseView {
        standing: standing(&l, now, left).to_owned(),
        days_left: left,
        id: l.id,
        organisation: l.organisation,
        customer: l.customer,
        tier: l.tier,
        engines: l.engines,
        not_before: l.not_before,
        expires_at: l.expires_at,
        grace_until: l.grace_until,
        support_until: l.support_until,
        trial: l.trial,
        revoked: l.revoked,
    }
}

fn standing(l: &LicenseFacts, now: DateTime<Utc>, left: Option<i64>) -> &'static str {
    match left {
        _ if l.revoked.is_some() => "revoked",
        _ if l.not_before.is_some_and(|from| from > now) => "not_yet",
        Some(_) if l.expires_at.is_some_and(|end| end <= now) => {
            if l.grace_until.is_some_and(|end| end > now) { "grace" } else { "lapsed" }
        }
        _ if l.trial => "trial",
        Some(left) if left <= 30 => "ending",
        _ => "active",
    }
}
