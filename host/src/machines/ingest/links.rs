//! Which machine has which package or update: read, changed, counted.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement,
    sea_query::{Expr, ExprTrait, JoinType, Order, Query, SelectStatement},
};
use serde_json::Value;

use super::{
    batch::Failed,
    catalogue::{Catalogue, together},
};

/// A machine has an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    pub title: i32,
    /// Another version of a title that the machine has already.
    pub also: bool,
    pub extra: Option<String>,
}

pub(super) type Links = BTreeMap<i32, Link>;

/// What a machine has: its links, and the list as it said it.
pub(super) async fn read(
    db: &impl ConnectionTrait,
    catalogue: Catalogue,
    machine: i32,
) -> Result<(Links, Vec<Value>), DbErr> {
    let mut select = of_machine(catalogue, machine);
    if catalogue == Catalogue::Software {
        select.column(("e", "title_id"));
    }
    let (mut links, mut list) = (Links::new(), Vec::new());
    for row in db.query_all(&select).await? {
        let extra: Option<String> = row.try_get("", "extra")?;
        let body: String = row.try_get("", "body")?;
        let title = if catalogue == Catalogue::Software { row.try_get("", "title_id")? } else { 0 };
        list.push(together(&body, extra.as_deref()));
        let also = row.try_get::<Option<bool>>("", "also")?.unwrap_or_default();
        links.insert(row.try_get("", "entry_id")?, Link { title, also, extra });
    }
    list.sort_by(|a, b| a["key"].as_str().cmp(&b["key"].as_str()));
    Ok((links, list))
}

/// The list of a machine, as it said it.
pub(in crate::machines) async fn listed(
    db: &impl ConnectionTrait,
    catalogue: Catalogue,
    machine: i32,
) -> Result<Vec<Value>, DbErr> {
    Ok(read(db, catalogue, machine).await?.1)
}

fn of_machine(catalogue: Catalogue, machine: i32) -> SelectStatement {
    Query::select()
        .columns([("l", "entry_id"), ("l", "also"), ("l", "extra")])
        .column(("e", "body"))
        .from_as(catalogue.links(), "l")
        .join_as(
            JoinType::InnerJoin,
            catalogue.entries(),
            "e",
            Expr::col(("e", "id")).equals(("l", "entry_id")),
        )
        .and_where(Expr::col(("l", "machine_no")).eq(machine))
        .order_by(("l", "entry_id"), Order::Asc)
        .to_owned()
}

/// How many machines more or fewer have each entry and title.
#[derive(Debug, Default)]
pub(super) struct Counts {
    entries: BTreeMap<i32, i32>,
    titles: BTreeMap<i32, i32>,
}

/// Make `old` into `new`, and count it.
pub(super) async fn change(
    db: &impl ConnectionTrait,
    catalogue: Catalogue,
    machine: i32,
    (old, new): (&Links, &Links),
    counts: &mut Counts,
) -> Result<(), DbErr> {
    let gone: Vec<i32> =
        old.iter().filter(|(id, link)| new.get(id) != Some(link)).map(|(id, _)| *id).collect();
    let come: Vec<(&i32, &Link)> = new.iter().filter(|(id, link)| old.get(id) != Some(link)).collect();
    if !gone.is_empty() {
        db.execute_raw(delete(db.get_database_backend(), catalogue, machine, &gone)).await?;
    }
    let (plain, special): (Vec<_>, Vec<_>) =
        come.into_iter().partition(|(_, link)| !link.also && link.extra.is_none());
    if !plain.is_empty() {
        let ids: Vec<i32> = plain.iter().map(|(id, _)| **id).collect();
        db.execute_raw(insert(db.get_database_backend(), catalogue, machine, &ids)).await?;
    }
    for special in special.chunks(300) {
        let mut insert = Query::insert();
        insert.into_table(catalogue.links()).columns(["machine_no", "entry_id", "also", "extra"]);
        for (id, link) in special {
            let also = link.also.then_some(true);
            insert.values_panic([
                machine.into(),
                (**id).into(),
                Expr::val(also),
                Expr::val(link.extra.clone()),
            ]);
        }
        db.execute(&insert).await?;
    }
    counts.changed(old, new);
    Ok(())
}

impl Counts {
    fn changed(&mut self, old: &Links, new: &Links) {
        for (links, by) in [(old, -1), (new, 1)] {
            for id in links.keys() {
                *self.entries.entry(*id).or_default() += by;
            }
            let titles: BTreeSet<i32> = links.values().map(|link| link.title).filter(|t| *t != 0).collect();
            for title in titles {
                *self.titles.entry(title).or_default() += by;
            }
        }
    }

    /// Write the counts. An entry that is not there any more was forgotten by another node.
    pub async fn write(self, db: &impl ConnectionTrait, catalogue: Catalogue) -> Result<(), Failed> {
        for (table, counts) in [(catalogue.entries(), self.entries), ("software_titles", self.titles)] {
            let counts: Vec<(i32, i32)> = counts.into_iter().filter(|(_, n)| *n != 0).collect();
            if counts.is_empty() {
                continue;
            }
            let done = db.execute_raw(add(db.get_database_backend(), table, &counts)).await?;
            if done.rows_affected() != counts.len() as u64 {
                return Err(Failed::Forgotten);
            }
        }
        Ok(())
    }
}

fn array(numbers: &[i32]) -> String {
    numbers.iter().map(i32::to_string).collect::<Vec<_>>().join(",")
}

/// Numbers as rows: SQLite reads them as JSON, PostgreSQL as an array; either way as one value.
fn rows(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Postgres => "SELECT unnest(string_to_array($2, ',')::int[])",
        _ => "SELECT value FROM json_each('[' || $2 || ']')",
    }
}

fn delete(backend: DbBackend, catalogue: Catalogue, machine: i32, ids: &[i32]) -> Statement {
    let (table, rows) = (catalogue.links(), rows(backend));
    let sql = format!("DELETE FROM {table} WHERE machine_no = $1 AND entry_id IN ({rows})");
    Statement::from_sql_and_values(backend, sql, [machine.into(), array(ids).into()])
}

fn insert(backend: DbBackend, catalogue: Catalogue, machine: i32, ids: &[i32]) -> Statement {
    let table = catalogue.links();
    let rows = match backend {
        DbBackend::Postgres => "SELECT $1, unnest(string_to_array($2, ',')::int[])",
        _ => "SELECT $1, value FROM json_each('[' || $2 || ']')",
    };
    let sql = format!("INSERT INTO {table} (machine_no, entry_id) {rows}");
    Statement::from_sql_and_values(backend, sql, [machine.into(), array(ids).into()])
}

fn add(backend: DbBackend, table: &str, counts: &[(i32, i32)]) -> Statement {
    let pairs = match backend {
        DbBackend::Postgres => {
            "SELECT (pair ->> 0)::int AS id, (pair ->> 1)::int AS n FROM jsonb_array_elements($1::jsonb) AS pair"
        }
        _ => "SELECT value ->> 0 AS id, value ->> 1 AS n FROM json_each($1)",
    };
    let sql = format!(
        "UPDATE {table} SET machines = {table}.machines + d.n FROM ({pairs}) AS d WHERE {table}.id = d.id"
    );
    let counts = serde_json::to_string(counts).unwrap_or_default();
    Statement::from_sql_and_values(backend, sql, [counts.into()])
}

/// A machine goes: it has nothing any more, and is counted nowhere.
pub(in crate::machines) async fn forget(tx: &DatabaseTransaction, machine: i32) -> Result<(), DbErr> {
    super::batch::lock(tx).await?;
    let db = tx;
    for catalogue in [Catalogue::Software, Catalogue::Updates] {
        let (old, _) = read(db, catalogue, machine).await?;
        let mut counts = Counts::default();
        counts.changed(&old, &Links::new());
        // What was forgotten already needs no count.
        match counts.write(db, catalogue).await {
            Ok(()) | Err(Failed::Forgotten) => {}
            Err(Failed::Database(error)) => return Err(error),
        }
        let links = Query::delete()
            .from_table(catalogue.links())
            .and_where(Expr::col("machine_no").eq(machine))
            .to_owned();
        db.execute(&links).await?;
    }
    let items =
        Query::delete().from_table("machine_items").and_where(Expr::col("machine_no").eq(machine)).to_owned();
    db.execute(&items).await.map(drop)
}

/// The links that `elements` come to, by the numbers of their entries.
pub(super) fn wanted(
    elements: &[super::catalogue::Element],
    entry: impl Fn(&[u8; 16]) -> Option<super::entries::Entry>,
) -> Links {
    let mut titles = BTreeSet::new();
    let mut links = Links::new();
    for element in elements {
        let Some(entry) = entry(&element.hash) else { continue };
        let also = entry.title != 0 && !titles.insert(entry.title) && !links.contains_key(&entry.id);
        links.entry(entry.id).or_insert(Link { title: entry.title, also, extra: element.extra.clone() });
    }
    links
}
