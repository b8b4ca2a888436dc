//! What selectors look at of machines, read for the evaluator: the same tables that the compiler asks.

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QueryResult, QuerySelect,
    sea_query::{Expr, ExprTrait, JoinType, Query, SelectStatement},
};
use uuid::Uuid;

use super::{
    MachineError, Machines,
    entity::{address, machine, section},
    store,
};
use crate::{
    ctx::Ctx,
    selector::{Asks, Item, MachineFacts, figure_columns},
};

/// Ids in one statement.
const CHUNK: usize = 400;

impl Machines {
    /// The facts of those of `ids` that the actor may see, by id.
    pub async fn facts(&self, ctx: &Ctx, ids: &[Uuid]) -> Result<Vec<MachineFacts>, MachineError> {
        let scope = ctx.require_scope("machines:read")?;
        let condition = scope.condition(&self.core.selectors.env());
        Ok(load(self.core.db.read(), ids, condition, Asks::ALL).await?)
    }
}

pub(super) async fn load(
    db: &impl ConnectionTrait,
    ids: &[Uuid],
    condition: sea_orm::Condition,
    asks: Asks,
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
        let numbers: HashMap<i32, Uuid> = rows.iter().filter_map(|r| Some((r.no?, r.id))).collect();
        let mut packages = if asks.packages { packages(db, &numbers).await? } else { HashMap::new() };
        let mut items = if asks.items { items(db, &numbers).await? } else { HashMap::new() };
        let mut figures = if asks.figures { figures(db, &ids).await? } else { HashMap::new() };
        found.extend(rows.into_iter().map(|row| MachineFacts {
            tags: tags.remove(&row.id).unwrap_or_default(),
            addresses: addresses.remove(&row.id).unwrap_or_default(),
            sections: sections.remove(&row.id).unwrap_or_default(),
            packages: packages.remove(&row.id).unwrap_or_default(),
            items: items.remove(&row.id).unwrap_or_default(),
            figures: figures.remove(&row.id).unwrap_or_default(),
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
        packages: Vec::new(),
        items: Vec::new(),
        figures: Vec::new(),
    }
}

/// Names and versions of what is installed.
async fn packages(
    db: &impl ConnectionTrait,
    numbers: &HashMap<i32, Uuid>,
) -> Result<HashMap<Uuid, Vec<(String, String)>>, DbErr> {
    let query = Query::select()
        .column(("l", "machine_no"))
        .column(("t", "name"))
        .column(("s", "version"))
        .from_as("machine_software", "l")
        .join_as(JoinType::InnerJoin, "software", "s", Expr::col(("s", "id")).equals(("l", "entry_id")))
        .join_as(
            JoinType::InnerJoin,
            "software_titles",
            "t",
            Expr::col(("t", "id")).equals(("s", "title_id")),
        )
        .and_where(Expr::col(("l", "machine_no")).is_in(numbers.keys().copied()))
        .to_owned();
    by_machine(db, &query, numbers, |row| Ok((row.try_get("", "name")?, row.try_get("", "version")?))).await
}

async fn items(
    db: &impl ConnectionTrait,
    numbers: &HashMap<i32, Uuid>,
) -> Result<HashMap<Uuid, Vec<Item>>, DbErr> {
    let query = Query::select()
        .columns(["machine_no", "kind", "name", "detail", "number"])
        .from("machine_items")
        .and_where(Expr::col("machine_no").is_in(numbers.keys().copied()))
        .to_owned();
    let item = |row: &QueryResult| {
        Ok(Item {
            kind: row.try_get("", "kind")?,
            name: row.try_get("", "name")?,
            detail: row.try_get("", "detail")?,
            number: row.try_get("", "number")?,
        })
    };
    by_machine(db, &query, numbers, item).await
}

async fn by_machine<T>(
    db: &impl ConnectionTrait,
    query: &SelectStatement,
    numbers: &HashMap<i32, Uuid>,
    read: impl Fn(&QueryResult) -> Result<T, DbErr>,
) -> Result<HashMap<Uuid, Vec<T>>, DbErr> {
    let mut found: HashMap<Uuid, Vec<T>> = HashMap::new();
    for row in db.query_all(query).await? {
        let no: i32 = row.try_get("", "machine_no")?;
        if let Some(id) = numbers.get(&no) {
            found.entry(*id).or_default().push(read(&row)?);
        }
    }
    Ok(found)
}

/// The newest figures that selectors know.
async fn figures(
    db: &impl ConnectionTrait,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Vec<(&'static str, f64)>>, DbErr> {
    let query = Query::select()
        .column("machine_id")
        .columns(figure_columns())
        .from("machine_metrics")
        .and_where(Expr::col("machine_id").is_in(ids.iter().copied()))
        .to_owned();
    let mut found = HashMap::new();
    for row in db.query_all(&query).await? {
        let mut known = Vec::new();
        for name in figure_columns() {
            if let Some(value) = row.try_get::<Option<f64>>("", name)? {
                known.push((name, value));
            }
        }
        found.insert(row.try_get("", "machine_id")?, known);
    }
    Ok(found)
}
