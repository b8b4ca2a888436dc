//! Service `licenses`: what is installed and what it grants, for an engine that shows or watches it.

use licenses::{EngineExplanation, Explanation, LicenseSummary};
use plugin_api::{
    EngineError, Manifest,
    error::{decode, encode},
    services::licenses::{EngineFacts, ExplainRequest, LicenseFacts, LicenseReport, MachineUse, NextChange},
};

use super::{Host, failed, from_slice};
use crate::{app::App, ctx::Ctx};

pub(super) async fn call(host: &Host, method: &str, payload: &[u8]) -> Result<Vec<u8>, EngineError> {
    if method != "explain" {
        return Err(EngineError::unknown("licenses method", method));
    }
    let request: ExplainRequest = decode(payload)?;
    let app = host.app()?;
    let ctx = Ctx::system("engine");
    let said = app.license.explain(&ctx, &app.engines.builds(), request.at).map_err(from_slice)?;
    let approved = app.machines.approved(&ctx).await.map_err(from_slice)?;
    encode(&report(&app, said, approved).await?)
}

async fn report(app: &App, said: Explanation, approved: u64) -> Result<LicenseReport, EngineError> {
    let mut engines = Vec::new();
    for engine in &said.engines {
        engines.push(facts(app, engine).await?);
    }
    Ok(LicenseReport {
        at: Some(said.effective_at),
        clock_set_back: said.clock_set_back.is_some(),
        instance: app.license.instance(),
        licenses: said.licenses.into_iter().map(license).collect(),
        engines,
        machines: MachineUse { approved, limit: said.limits.hosts },
    })
}

fn license(l: LicenseSummary) -> LicenseFacts {
    LicenseFacts {
        id: l.id,
        customer: l.customer,
        organisation: l.organisation,
        tier: l.tier,
        engines: l.engines,
        issued_at: Some(l.issued_at),
        not_before: Some(l.not_before),
        expires_at: l.expires_at,
        grace_until: l.grace_until,
        support_until: l.support_until,
        trial: l.trial,
        revoked: l.revoked,
    }
}

async fn facts(app: &App, said: &EngineExplanation) -> Result<EngineFacts, EngineError> {
    let entry = app.engines.entries().into_iter().find(|e| e.build().as_ref() == Some(&said.build));
    let manifest = entry.as_ref().and_then(|e| e.manifest());
    let names = |f: fn(&Manifest) -> Vec<String>| manifest.as_deref().map(f).unwrap_or_default();
    let jobs = match &entry {
        Some(entry) => app.engines.jobs().list(&entry.id).await.map_err(|e| failed("read timers", e))?.len(),
        None => 0,
    };
    Ok(EngineFacts {
        id: said.build.engine.clone(),
        name: manifest.as_ref().map_or_else(|| said.build.engine.clone(), |m| m.name.clone()),
        version: said.build.version.to_string(),
        tier: manifest.as_ref().map(|m| m.tier.clone()).unwrap_or_default(),
        state: said.decision.entitlement.state().into(),
        code: said.code.into(),
        sentence: said.sentence.clone(),
        unlocks: said.unlocks.clone(),
        next_change: said.next_change.as_ref().map(|next| NextChange {
            at: Some(next.at),
            state: next.state.into(),
            code: next.code.into(),
        }),
        pages: names(|m| m.navigation.iter().map(|n| n.label.clone()).collect()),
        commands: names(|m| m.commands.iter().map(|c| c.description.clone()).collect()),
        jobs: u64::try_from(jobs).unwrap_or(u64::MAX),
    })
}
