//! Machines that may be the same computer twice: found, and one put in the place of the other.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, Query},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Machine, MachineError, MachineState, Machines,
    entity::{address, hardware, machine},
    indexing, store,
};
use crate::{audit::Change, ctx::Ctx};

/// Most duplicates shown.
const MOST: u64 = 50;

/// A machine that may be the same computer, and why.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Duplicate {
    /// The other machine.
    pub machine: Machine,
    /// What is the same, the surest first: `serial`, `machine-id`, `mac`, `boot_id`, `hostname`, `address`.
    pub same: Vec<String>,
}

impl Machines {
    /// Other machines within the actor's reach that may be the same computer, the likeliest first.
    pub async fn duplicates(&self, ctx: &Ctx, id: Uuid) -> Result<Vec<Duplicate>, MachineError> {
        let row = self.visible(ctx, "machines:read", id).await?;
        let scope = ctx.require_scope("machines:read")?;
        let env = self.core.selectors.env();
        let db = self.core.db.read();
        let own = Query::select()
            .column(address::Column::Key)
            .from(address::Entity)
            .and_where(address::Column::MachineId.eq(id))
            .and_where(address::Column::Key.is_not_null())
            .to_owned();
        let sharing = Query::select()
            .column(address::Column::MachineId)
            .from(address::Entity)
            .and_where(Expr::col(address::Column::Key).in_subquery(own))
            .to_owned();
        let identities = Query::select()
            .column(hardware::Column::Identity)
            .from(hardware::Entity)
            .and_where(hardware::Column::MachineId.eq(id))
            .to_owned();
        let twins = Query::select()
            .column(hardware::Column::MachineId)
            .from(hardware::Entity)
            .and_where(Expr::col(hardware::Column::Identity).in_subquery(identities))
            .to_owned();
        let mut alike = Condition::any()
            .add(machine::Column::Id.in_subquery(sharing))
            .add(machine::Column::Id.in_subquery(twins));
        if !row.hostname.is_empty() {
            alike = alike.add(machine::Column::Hostname.eq(&row.hostname));
        }
        if !row.boot_id.is_empty() {
            alike = alike.add(machine::Column::BootId.eq(&row.boot_id));
        }
        let rows = machine::Entity::find()
            .filter(machine::Column::Id.ne(id))
            .filter(scope.condition(&env))
            .filter(alike)
            .order_by_asc(machine::Column::Id)
            .limit(MOST)
            .all(db)
            .await?;
        let ids: Vec<Uuid> = rows.iter().map(|r| r.id).collect();
        let mut tags = store::tags(db, &ids).await?;
        let mut found: Vec<Duplicate> = rows
            .into_iter()
            .map(|other| Duplicate {
                same: same(&row, &other),
                machine: {
                    let tags = tags.remove(&other.id).unwrap_or_default();
                    let presence = self.live.get(other.id);
                    Machine::of(other, tags, presence.as_ref())
                },
            })
            .collect();
        found.sort_by_key(|d| std::cmp::Reverse(likelihood(&d.same)));
        Ok(found)
    }

    /// Approve the computer behind the new machine `id` as the machine `old`, which keeps its id, name, tags, notes and
    /// history and gets the new key; the old key is refused from now on, and the new machine's entry goes.
    pub async fn replace(&self, ctx: &Ctx, id: Uuid, old: Uuid) -> Result<Machine, MachineError> {
        let new = self.visible(ctx, "machines:approve", id).await?;
        let before = self.visible(ctx, "machines:approve", old).await?;
        if MachineState::parse(&new.state) != MachineState::Pending || id == old {
            let detail = "Only a machine that waits for approval can take another one's place.".into();
            return Err(MachineError::Invalid { field: "replace", detail });
        }
        let now = self.core.clock.now();
        let tx = self.core.db.begin().await?;
        if MachineState::parse(&before.state) != MachineState::Approved {
            self.admits(&tx).await?;
        }
        store::delete(&tx, id).await?;
        let (addresses, identities) = (texts(&new.addresses), texts(&new.hardware));
        let set = machine::ActiveModel {
            state: Set(MachineState::Approved.name().into()),
            key_fingerprint: Set(new.key_fingerprint.clone()),
            public_key: Set(new.public_key),
            poll_handle_hash: Set(new.poll_handle_hash),
            hostname: Set(new.hostname),
            os_family: Set(new.os_family),
            os_id: Set(new.os_id),
            os_name: Set(new.os_name),
            os_version: Set(new.os_version),
            os_version_key: Set(new.os_version_key),
            kernel: Set(new.kernel),
            arch: Set(new.arch),
            target: Set(new.target),
            cpus: Set(new.cpus),
            memory_bytes: Set(new.memory_bytes),
            boot_id: Set(new.boot_id),
            addresses: Set(new.addresses),
            hardware: Set(new.hardware),
            agent_version: Set(new.agent_version),
            agent_version_key: Set(new.agent_version_key),
            last_ip: Set(new.last_ip),
            enrolment_token_id: Set(new.enrolment_token_id),
            updated_at: Set(now),
            decided_at: Set(Some(now)),
            decided_by: Set(Some(ctx.actor.to_string())),
            ..Default::default()
        };
        store::update(&tx, old, set).await?;
        indexing::set_addresses(&tx, old, &addresses).await?;
        indexing::set_hardware(&tx, old, &identities).await?;
        let change = Change::new("machine.replaced", "machine", old)
            .before(json!({"state": before.state, "key_fingerprint": before.key_fingerprint}))
            .after(
                json!({"state": MachineState::Approved, "key_fingerprint": new.key_fingerprint, "was": id}),
            );
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        self.core.sessions.disconnect(old, "replaced", "Another computer took this machine's place.");
        self.publish("machine.replaced", old, json!({"name": before.name, "was": id}));
        self.get(&Ctx::system("replaced"), old).await
    }
}

/// Kinds, the surest first: clones share an id of the installation, neighbours behind one router an address.
const KINDS: [&str; 6] = ["serial", "machine-id", "mac", "boot_id", "hostname", "address"];

/// One sure sign outweighs all that are less sure.
fn likelihood(same: &[String]) -> u32 {
    let weight = |kind: &str| KINDS.iter().position(|k| *k == kind).map_or(0, |at| 1 << (KINDS.len() - at));
    same.iter().map(|kind| weight(kind)).sum()
}

/// A column that holds a list of texts.
fn texts(value: &serde_json::Value) -> Vec<String> {
    serde_json::from_value(value.clone()).unwrap_or_default()
}

fn same(a: &machine::Model, b: &machine::Model) -> Vec<String> {
    let (hardware, others) = (texts(&a.hardware), texts(&b.hardware));
    let shared = |kind: &str| {
        hardware.iter().any(|i| i.split_once(':').is_some_and(|(k, _)| k == kind) && others.contains(i))
    };
    let holds = |kind: &str| match kind {
        "boot_id" => !a.boot_id.is_empty() && a.boot_id == b.boot_id,
        "hostname" => !a.hostname.is_empty() && a.hostname == b.hostname,
        "address" => {
            let theirs = texts(&b.addresses);
            texts(&a.addresses).iter().any(|address| theirs.contains(address))
        }
        kind => shared(kind),
    };
    KINDS.into_iter().filter(|kind| holds(kind)).map(str::to_owned).collect()
}
