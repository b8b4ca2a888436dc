//! Services `machines` and `inventory`: what the actor of a call may see.

use plugin_api::{
    EngineError,
    error::{decode, encode},
    services::machines::{Machine, MachineId, SectionRequest, Select, Selected},
};

use super::{Host, from_slice, uuid};
use crate::{
    ctx::Ctx,
    machines::{self, MachineQuery, Sort},
    permissions::{Grant, PermissionSet},
};

const PAGE: u64 = 1_000;

pub(super) async fn call(host: &Host, method: &str, payload: &[u8]) -> Result<Vec<u8>, EngineError> {
    let app = host.app()?;
    match method {
        "select" => encode(&select(host, decode(payload)?).await?),
        "get" => {
            let id: MachineId = decode(payload)?;
            let machine =
                app.machines.get(&Ctx::system("engine"), uuid(&id.id)?).await.map_err(from_slice)?;
            encode(&shown(machine))
        }
        "section" => {
            let r: SectionRequest = decode(payload)?;
            let ctx = Ctx::system("engine");
            let section =
                app.machines.section(&ctx, uuid(&r.machine_id)?, &r.section).await.map_err(from_slice)?;
            encode(&section.data)
        }
        other => Err(EngineError::unknown("machines method", other)),
    }
}

async fn select(host: &Host, request: Select) -> Result<Selected, EngineError> {
    let (mut ctx, scope) = host.entry.contexts.resolve(host.id(), &request.context);
    // Which machines the actor sees is the scope of the engine's permission they hold.
    ctx.grants = vec![Grant { permissions: PermissionSet::new(["machines:read"]), scope }].into();
    let app = host.app()?;
    let bad = |e: crate::selector::SelectorError| EngineError::new("bad_selector", e.to_string());
    let selector = app.selectors.parse(&ctx, &request.selector).map_err(bad)?;
    let total = app.machines.count(&ctx, &request.selector).await.map_err(from_slice)?;
    let query = MachineQuery {
        selector: Some(selector),
        sort: Sort::default(),
        after: request.after,
        limit: if request.limit == 0 { PAGE } else { PAGE.min(request.limit.into()) },
    };
    let page = app.machines.list(&ctx, query).await.map_err(from_slice)?;
    let next = page.next_cursor.and_then(|_| page.items.last().map(|m| m.id.to_string()));
    Ok(Selected { machines: page.items.into_iter().map(shown).collect(), total, next })
}

fn shown(m: machines::Machine) -> Machine {
    Machine {
        id: m.id.to_string(),
        name: m.name,
        os_family: m.os_family,
        os_name: m.os_id,
        os_version: m.os_version,
        tags: m.tags,
        online: m.online,
    }
}
