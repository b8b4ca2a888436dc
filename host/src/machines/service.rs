//! The machines service: list, look, change, decide.

use std::sync::{Arc, RwLock};

use agent_protocol::{Frame, metrics::Watch, session::MachineFacts};
use chrono::Duration;
use sea_orm::{ActiveValue::Set, Condition, ConnectionTrait};
use serde_json::json;
use uuid::Uuid;

use super::{
    LiveMachines, LiveMetrics, Machine, MachineDetails, MachineEngine, MachineError, MachineLimit,
    MachineState, Sort, Unlimited,
    entity::machine,
    indexing,
    ingest::{self, Ingest},
    inventory, sort, store,
};
use crate::{
    app::Core,
    audit::Change,
    ctx::Ctx,
    events::NewEvent,
    http::Page,
    pki::{AgentCertificate, PkiError},
    selector::{Env, Selector, SelectorError},
};

/// Most tags of a machine.
const MAX_TAGS: usize = 64;

/// The machines service. Cheap to clone.
#[derive(Clone)]
pub struct Machines {
    pub(super) core: Arc<Core>,
    pub(super) live: LiveMachines,
    pub(super) ingest: Arc<Ingest>,
    limit: Arc<RwLock<Arc<dyn MachineLimit>>>,
}

/// What to change of a machine; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct MachineChange {
    /// Name.
    pub name: Option<String>,
    /// Free text.
    pub notes: Option<String>,
    /// Tags, all of them.
    pub tags: Option<Vec<String>>,
}

/// Which machines.
#[derive(Debug, Clone, Default)]
pub struct MachineQuery {
    /// Those a selector matches.
    pub selector: Option<Selector>,
    /// In this order.
    pub sort: Sort,
    /// Continue after this key.
    pub after: Option<String>,
    /// At most so many.
    pub limit: u64,
}

impl Machines {
    pub(super) fn new(core: Arc<Core>) -> Self {
        let limit: Arc<dyn MachineLimit> = Arc::new(Unlimited);
        let (live, ingest) = (LiveMachines::default(), Arc::new(Ingest::new()));
        Self { core, live, ingest, limit: Arc::new(RwLock::new(limit)) }
    }

    /// Ask `limit` before each approval from now on.
    pub fn set_limit(&self, limit: Arc<dyn MachineLimit>) {
        *self.limit.write().unwrap_or_else(|e| e.into_inner()) = limit;
    }

    /// Connected machines and their newest metrics.
    pub fn live(&self) -> &LiveMachines {
        &self.live
    }

    /// Machines within the actor's reach.
    pub async fn list(&self, ctx: &Ctx, query: MachineQuery) -> Result<Page<Machine>, MachineError> {
        let scope = ctx.require_scope("machines:read")?;
        let env = self.core.selectors.env();
        let condition = |env: &Env| {
            let within = Condition::all().add(scope.condition(env));
            within.add_option(query.selector.as_ref().map(|selector| selector.condition(env)))
        };
        let wanted = sort::Wanted { near: condition(&env.row_by_row()), all: condition(&env) };
        let db = self.core.db.read();
        let page = sort::list(db, wanted, query.sort, query.after, query.limit).await?;
        let ids: Vec<Uuid> = page.items.iter().map(|m| m.id).collect();
        let mut tags = store::tags(db, &ids).await?;
        Ok(page.map(|row| {
            let presence = self.live.get(row.id);
            let tags = tags.remove(&row.id).unwrap_or_default();
            Machine::of(row, tags, presence.as_ref())
        }))
    }

    /// How many machines within the actor's reach a selector matches.
    pub async fn count(&self, ctx: &Ctx, selector: &str) -> Result<u64, MachineError> {
        let scope = ctx.require_scope("machines:read")?;
        let bad = |e: SelectorError| MachineError::Invalid { field: "q", detail: e.to_string() };
        let selector = self.core.selectors.parse(ctx, selector).map_err(bad)?;
        let env = self.core.selectors.env();
        let condition = Condition::all().add(scope.condition(&env)).add(selector.condition(&env));
        Ok(store::count(self.core.db.read(), condition).await?)
    }

    /// How many machines are approved: what a licence's limit counts.
    pub async fn approved(&self, ctx: &Ctx) -> Result<u64, MachineError> {
        ctx.require("license:read")?;
        Ok(store::count_approved(self.core.db.read()).await?)
    }

    /// One machine.
    pub async fn get(&self, ctx: &Ctx, id: Uuid) -> Result<Machine, MachineError> {
        let row = self.visible(ctx, "machines:read", id).await?;
        let tags = store::tags_of(self.core.db.read(), id).await?;
        Ok(Machine::of(row, tags, self.live.get(id).as_ref()))
    }

    /// One machine with its metrics, engines and sections.
    pub async fn details(&self, ctx: &Ctx, id: Uuid) -> Result<MachineDetails, MachineError> {
        let machine = self.get(ctx, id).await?;
        let db = self.core.db.read();
        let presence = self.live.get(id);
        Ok(MachineDetails {
            machine,
            metrics: presence.and_then(|p| p.metrics).map(|m| LiveMetrics::from(&*m)),
            engines: store::engines(db, id).await?.into_iter().map(MachineEngine::from).collect(),
            sections: inventory::summaries(db, id).await?,
        })
    }

    /// The machine's row, when the actor holds `permission` there.
    pub(super) async fn visible(
        &self,
        ctx: &Ctx,
        permission: &str,
        id: Uuid,
    ) -> Result<machine::Model, MachineError> {
        let scope = ctx.require_scope(permission)?;
        let row =
            store::get_within(self.core.db.read(), id, scope.condition(&self.core.selectors.env())).await?;
        row.ok_or(MachineError::NotFound("machine"))
    }

    /// Change name, notes or tags.
    pub async fn update(&self, ctx: &Ctx, id: Uuid, change: MachineChange) -> Result<Machine, MachineError> {
        self.visible(ctx, "machines:update", id).await?;
        check_change(&change)?;
        if let Some(tags) = &change.tags {
            let have = store::tags_of(self.core.db.read(), id).await?;
            let different = have.iter().filter(|t| !tags.contains(t));
            self.by_hand(different.chain(tags.iter().filter(|t| !have.contains(t)))).await?;
        }
        let before = self.shown(id).await?;
        let tx = self.core.db.begin().await?;
        let row = machine::ActiveModel {
            name: change.name.map(Set).unwrap_or_default(),
            notes: change.notes.map(Set).unwrap_or_default(),
            updated_at: Set(self.core.clock.now()),
            ..Default::default()
        };
        store::update(&tx, id, row).await?;
        if let Some(mut tags) = change.tags {
            tags.sort();
            tags.dedup();
            store::set_tags(&tx, id, &tags).await?;
        }
        let after = shown_in(&tx, id).await?;
        let entry = Change::new("machine.updated", "machine", id).before(before).after(&after);
        self.core.audit.record_in(ctx, &tx, entry).await?;
        tx.commit().await?;
        self.publish("machine.updated", id, after);
        self.get(&Ctx::system("updated"), id).await
    }

    /// Let a machine in. A full licence refuses with `machine_limit_reached`.
    pub async fn approve(&self, ctx: &Ctx, id: Uuid) -> Result<Machine, MachineError> {
        self.visible(ctx, "machines:approve", id).await?;
        self.decide(ctx, id, MachineState::Approved).await
    }

    /// Keep a machine out; an approved one is disconnected and may not come back.
    pub async fn reject(&self, ctx: &Ctx, id: Uuid) -> Result<Machine, MachineError> {
        self.visible(ctx, "machines:approve", id).await?;
        let machine = self.decide(ctx, id, MachineState::Rejected).await?;
        self.core.sessions.disconnect(id, "rejected", "An administrator rejected this machine.");
        Ok(machine)
    }

    async fn decide(&self, ctx: &Ctx, id: Uuid, to: MachineState) -> Result<Machine, MachineError> {
        let tx = self.core.db.begin().await?;
        let row = store::get(&tx, id).await?.ok_or(MachineError::NotFound("machine"))?;
        let from = MachineState::parse(&row.state);
        if from == to {
            return Err(MachineError::AlreadyDecided(to.name()));
        }
        if to == MachineState::Approved {
            self.admits(&tx).await?;
        }
        let now = self.core.clock.now();
        let set = machine::ActiveModel {
            state: Set(to.name().into()),
            decided_at: Set(Some(now)),
            decided_by: Set(Some(ctx.actor.to_string())),
            updated_at: Set(now),
            ..Default::default()
        };
        store::update(&tx, id, set).await?;
        let topic = format!("machine.{}", to.name());
        let entry =
            Change::new(&topic, "machine", id).before(json!({"state": from})).after(json!({"state": to}));
        self.core.audit.record_in(ctx, &tx, entry).await?;
        tx.commit().await?;
        self.publish(&topic, id, json!({"name": row.name, "state": to}));
        self.get(&Ctx::system("decided"), id).await
    }

    /// Whether the licence admits another machine. Called within the transaction that approves it.
    pub(super) async fn admits(&self, db: &impl ConnectionTrait) -> Result<(), MachineError> {
        let approved = store::count_approved(db).await?;
        let limit = self.limit.read().unwrap_or_else(|e| e.into_inner()).clone();
        Ok(limit.admits(approved).await?)
    }

    /// Remove a machine with its inventory. Its tasks stay as history.
    pub async fn delete(&self, ctx: &Ctx, id: Uuid) -> Result<(), MachineError> {
        self.visible(ctx, "machines:delete", id).await?;
        self.delete_as(ctx, id, "machine.deleted").await
    }

    /// Remove a machine; the activity log calls it `action`. The caller has authorised.
    pub(super) async fn delete_as(&self, ctx: &Ctx, id: Uuid, action: &str) -> Result<(), MachineError> {
        let no = store::get(self.core.db.read(), id).await?.ok_or(MachineError::NotFound("machine"))?.no;
        let before = self.shown(id).await?;
        let tx = self.core.db.begin().await?;
        if let Some(no) = no {
            ingest::forget(&tx, no).await?;
        }
        store::delete(&tx, id).await?;
        let entry = Change::new(action, "machine", id).before(&before);
        self.core.audit.record_in(ctx, &tx, entry).await?;
        tx.commit().await?;
        self.core.sessions.disconnect(id, "removed", "An administrator removed this machine.");
        self.publish("machine.deleted", id, before);
        Ok(())
    }

    /// Ask a connected machine for frequent heartbeats for a while; each is published as `machine.metrics`.
    pub async fn watch(&self, ctx: &Ctx, id: Uuid, every_ms: u32, for_ms: u32) -> Result<(), MachineError> {
        self.visible(ctx, "machines:read", id).await?;
        let (interval_ms, for_ms) = (every_ms.clamp(1000, 60_000), for_ms.clamp(1000, 600_000));
        let until = self.core.clock.now() + Duration::milliseconds(for_ms.into());
        let watch = Frame::Watch(Watch { interval_ms, for_ms });
        let sent = self.live.watch(id, until) && self.core.sessions.send(id, &watch).is_ok();
        if sent { Ok(()) } else { Err(MachineError::NotConnected) }
    }

    /// A client certificate for a machine's key.
    pub(crate) fn certificate(&self, id: Uuid, public_key: &[u8]) -> Result<AgentCertificate, PkiError> {
        let life = Duration::hours(self.core.config.agents.certificate_hours.into());
        // Certificates are checked against the computers' clocks, so they are made by this one's.
        self.core.pki.authority.sign_agent(public_key, id, chrono::Utc::now(), life)
    }

    /// The target triple of a machine's agent.
    pub(crate) async fn target(&self, id: Uuid) -> Result<String, MachineError> {
        let row = store::get(self.core.db.read(), id).await?;
        Ok(row.ok_or(MachineError::NotFound("machine"))?.target)
    }

    /// Where agents find the gateway.
    pub fn gateway_url(&self) -> String {
        format!("https://{}:{}", self.core.config.public_name(), self.core.config.agents.port)
    }

    async fn shown(&self, id: Uuid) -> Result<serde_json::Value, MachineError> {
        shown_in(self.core.db.read(), id).await
    }

    pub(super) fn publish(&self, topic: &str, id: Uuid, mut data: serde_json::Value) {
        data["machine_id"] = json!(id);
        self.core.events.publish(NewEvent::new(topic, "machines:read", data).machine(id));
    }
}

/// What the audit log shows of a machine.
async fn shown_in(db: &impl ConnectionTrait, id: Uuid) -> Result<serde_json::Value, MachineError> {
    let row = store::get(db, id).await?.ok_or(MachineError::NotFound("machine"))?;
    let tags = store::tags_of(db, id).await?;
    Ok(json!({"name": row.name, "state": row.state, "tags": tags, "notes": row.notes}))
}

fn check_change(change: &MachineChange) -> Result<(), MachineError> {
    let invalid = |field, detail: &str| Err(MachineError::Invalid { field, detail: detail.into() });
    if change.name.as_ref().is_some_and(|n| n.trim().is_empty() || n.len() > 200) {
        return invalid("name", "A name has 1 to 200 bytes.");
    }
    if change.notes.as_ref().is_some_and(|n| n.len() > 10_000) {
        return invalid("notes", "Notes have at most 10000 bytes.");
    }
    change.tags.as_deref().map_or(Ok(()), check_tags)
}

/// Tags are words a selector can name.
pub(super) fn check_tags(tags: &[String]) -> Result<(), MachineError> {
    let word = |t: &String| {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/' | b'=');
        (1..=64).contains(&t.len()) && t.bytes().all(allowed)
    };
    if tags.len() <= MAX_TAGS && tags.iter().all(word) {
        return Ok(());
    }
    let detail = "A machine has at most 64 tags of 1 to 64 letters, digits and `-_./=`.";
    Err(MachineError::Invalid { field: "tags", detail: detail.into() })
}

/// The columns that come from a machine's facts.
pub(super) fn facts_row(facts: &MachineFacts, agent_version: &str) -> machine::ActiveModel {
    machine::ActiveModel {
        hostname: Set(facts.hostname.clone()),
        os_family: Set(facts.os_family.clone()),
        os_id: Set(facts.os_id.clone()),
        os_name: Set(facts.os_name.clone()),
        os_version: Set(facts.os_version.clone()),
        kernel: Set(facts.kernel.clone()),
        arch: Set(facts.arch.clone()),
        target: Set(facts.target.clone()),
        cpus: Set(facts.cpus.try_into().unwrap_or(i32::MAX)),
        memory_bytes: Set(facts.memory_bytes.try_into().unwrap_or(i64::MAX)),
        boot_id: Set(facts.boot_id.clone()),
        addresses: Set(json!(facts.addresses)),
        hardware: Set(json!(facts.hardware)),
        agent_version: Set(agent_version.into()),
        os_version_key: Set(indexing::version_key(&facts.os_version)),
        agent_version_key: Set(indexing::version_key(agent_version)),
        ..Default::default()
    }
}
