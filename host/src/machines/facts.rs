//! What selectors look at of machines, read for the evaluator: the same tables that the compiler asks.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{
    MachineError, Machines,
    entity::{address, machine, section},
    store,
};
use crate::{ctx::Ctx, selector::MachineFacts};

/// Ids in one statement.
const CHUNK: usize = 400;

impl Machines {
    /// The facts of those of `ids` that the actor may see, by id.
    pub async fn facts(&self, ctx: &Ctx, ids: &[Uuid]) -> Result<Vec<MachineFacts>, MachineError> {
        let scope = ctx.require_scope("machines:read")?;
        let condition = scope.condition(&self.core.selectors.env());
        Ok(load(self.core.db.read(), ids, condition).await?)
    }
}

pub(super) async fn load(
    db: &impl ConnectionTrait,
    ids: &[Uuid],
    condition: sea_orm::Condition,
) -> Result<Vec<MachineFacts>, DbErr> {
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(CHUNK) {
        let rows = machine::Entity::find()
            .filter(machine::Column::Id.is_in(ids.iter().copied()))
            .filter(condition.clone())
            .order_by_asc(machine::Column::Id)
            .all(db)
            .await?;
        let ids: Vec<Uuid> = rows.iter().map(|r| r.id).collect();
        let mut tags = store::tags(db, &ids).await?;
        let mut addresses = texts(
            address::Entity::find()
                .select_only()
                .columns([address::Column::MachineId, address::Column::Address])
                .filter(address::Column::MachineId.is_in(ids.iter().copied()))
                .into_tuple()
                .all(db)
                .await?,
        );
        let mut sections = texts(
            section::Entity::find()
                .select_only()
                .columns([section::Column::MachineId, section::Column::Name])
                .filter(section::Column::MachineId.is_in(ids.iter().copied()))
                .into_tuple()
                .all(db)
                .await?,
        );
        found.extend(rows.into_iter().map(|row| MachineFacts {
            tags: tags.remove(&row.id).unwrap_or_default(),
            addresses: addresses.remove(&row.id).unwrap_or_default(),
            sections: sections.remove(&row.id).unwrap_or_default(),
            ..of(row)
        }));
    }
    Ok(found)
}

fn texts(rows: Vec<(Uuid, String)>) -> HashMap<Uuid, Vec<String>> {
    let mut texts: HashMap<Uuid, Vec<String>> = HashMap::new();
    for (machine, text) in rows {
        texts.entry(machine).or_default().push(text);
    }
    texts
}

fn of(row: machine::Model) -> MachineFacts {
    MachineFacts {
        id: row.id,
        name: row.name,
        hostname: row.hostname,
        state: row.state,
        online: row.online,
        os_family: row.os_family,
        os_id: row.os_id,
        os_name: row.os_name,
        os_version: row.os_version,
        kernel: row.kernel,
        arch: row.arch,
        agent_version: row.agent_version,
        cpus: row.cpus,
        memory_bytes: row.memory_bytes,
        notes: row.notes,
        updates: row.updates,
        security_updates: row.security_updates,
        reboot_required: row.reboot_required,
        created_at: row.created_at,
        last_seen_at: row.last_seen_at,
        tags: Vec::new(),
        addresses: Vec::new(),
        sections: Vec::new(),
    }
}
