//! One transaction with what many machines reported.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, OnConflict, Query},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Content, Machines, Parsed, Stored, apply,
    catalogue::{Catalogue, Element},
    entries::Known,
    links::{self, Counts, Links},
    searched, summary,
};
use crate::{
    app::Core,
    events::NewEvent,
    machines::{
        diff,
        entity::{change, section},
    },
};

/// Serialises batches of several nodes: counts are changed in any order.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7358291001)";
/// Rows in one statement.
const CHUNK: usize = 200;

/// Why a batch was not stored.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    /// An entry is not there any more.
    #[error("a package was forgotten while it was stored")]
    Forgotten,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl From<Failed> for DbErr {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Forgotten => Self::Custom(failed.to_string()),
            Failed::Database(error) => error,
        }
    }
}

/// A section that is to be stored.
struct Work<'a> {
    report: &'a Parsed,
    no: i32,
    old: Option<Old>,
    new: Value,
    changes: Option<(Vec<Value>, bool)>,
}

/// What the host has of it.
struct Old {
    digest: String,
    data: Value,
    links: Links,
}

/// Store `reports`, of which none are of the same machine and section. What became of each, and what to publish.
pub(super) async fn store(
    core: &Core,
    reports: &[Parsed],
    known: &mut Known,
) -> Result<(Vec<Stored>, Vec<NewEvent>), Failed> {
    let tx = core.db.begin().await?;
    lock(&tx).await?;
    let numbers = numbers(&tx, reports).await?;
    let mut answers = Vec::with_capacity(reports.len());
    let mut works = Vec::new();
    for report in reports {
        let answer = match numbers.get(&report.machine) {
            // The machine was removed while it spoke.
            None => Stored::Stored(report.digest),
            Some(no) => match work(&tx, report, *no).await? {
                Decision::Same => Stored::Stored(report.digest),
                Decision::Resync => Stored::Resync,
                Decision::Store(work) => {
                    works.push(*work);
                    Stored::Stored(report.digest)
                }
            },
        };
        answers.push(answer);
    }
    let events = works.iter().map(event).collect();
    write(&tx, core.clock.now(), works, known).await?;
    tx.commit().await?;
    Ok((answers, events))
}

/// Nobody else changes counts until the transaction ends.
pub(super) async fn lock(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    if tx.get_database_backend() == DbBackend::Postgres {
        tx.execute_unprepared(LOCK).await?;
    }
    Ok(())
}

async fn numbers(db: &impl ConnectionTrait, reports: &[Parsed]) -> Result<HashMap<Uuid, i32>, DbErr> {
    let select = Query::select()
        .columns(["id", "no"])
        .from("machines")
        .and_where(Expr::col("id").is_in(reports.iter().map(|r| r.machine)))
        .to_owned();
    let rows = db.query_all(&select).await?;
    rows.iter().map(|row| Ok((row.try_get("", "id")?, row.try_get("", "no")?))).collect()
}

enum Decision<'a> {
    Same,
    Resync,
    Store(Box<Work<'a>>),
}

async fn work<'a>(db: &impl ConnectionTrait, report: &'a Parsed, no: i32) -> Result<Decision<'a>, DbErr> {
    let row = section::Entity::find_by_id((report.machine, report.name.clone())).one(db).await?;
    let hex = report.digest.to_hex();
    if row.as_ref().is_some_and(|row| row.digest == hex) {
        return Ok(Decision::Same);
    }
    let old = match row {
        Some(row) => Some(old(db, row, no).await?),
        None => None,
    };
    let new = match (&report.content, &old) {
        (Content::Whole(data), _) => data.clone(),
        (Content::Delta { base, check, upserts, removed }, Some(old)) if old.digest == base.to_hex() => {
            let new = apply::apply(&old.data, upserts, removed);
            if apply::check(&new) != Some(*check) {
                tracing::info!(machine.id = %report.machine, section = report.name, "a change of inventory does not fit");
                return Ok(Decision::Resync);
            }
            new
        }
        (Content::Delta { .. }, _) => return Ok(Decision::Resync),
    };
    let mut new = new;
    if let (Some(catalogue), true) = (Catalogue::of(&report.name), new.is_object()) {
        catalogue.name(&mut new);
    }
    let changes = old.as_ref().map(|old| diff::changes(&old.data, &new));
    Ok(Decision::Store(Box::new(Work { report, no, old, new, changes })))
}

/// What the host has, put together.
async fn old(db: &impl ConnectionTrait, row: section::Model, no: i32) -> Result<Old, DbErr> {
    let section::Model { name, digest, mut data, .. } = row;
    let mut links = Links::new();
    if let Some(catalogue) = Catalogue::of(&name) {
        let list;
        (links, list) = links::read(db, catalogue, no).await?;
        if let (false, Some(section)) = (list.is_empty(), data.as_object_mut()) {
            section.insert(catalogue.member().into(), Value::Array(list));
        }
    }
    Ok(Old { digest, data, links })
}

fn event(work: &Work<'_>) -> NewEvent {
    let machine = work.report.machine;
    let changes = work.changes.as_ref().map(|(changes, _)| changes.len());
    let data = json!({"machine_id": machine, "section": work.report.name, "changes": changes});
    NewEvent::new("machine.inventory_changed", "machines:read", data).machine(machine)
}

async fn write(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    mut works: Vec<Work<'_>>,
    known: &mut Known,
) -> Result<(), Failed> {
    for work in &works {
        let old = work.old.as_ref().map(|old| &old.data);
        searched::change(tx, work.no, &work.report.name, (old, &work.new)).await?;
        summary::change(tx, work.report.machine, &work.report.name, &work.new).await?;
    }
    write_changes(tx, now, &works).await?;
    for catalogue in [Catalogue::Software, Catalogue::Updates] {
        write_links(tx, catalogue, &mut works, known).await?;
    }
    for works in works.chunks(CHUNK) {
        upsert(tx, works.iter().map(|work| row(work, now))).await?;
    }
    Ok(())
}

/// The lists that are stored once for the fleet; they are taken out of the sections.
async fn write_links(
    tx: &DatabaseTransaction,
    catalogue: Catalogue,
    works: &mut [Work<'_>],
    known: &mut Known,
) -> Result<(), Failed> {
    let mut lists: Vec<(i32, Option<&Links>, Vec<Element>)> = Vec::new();
    for work in works.iter_mut().filter(|w| Catalogue::of(&w.report.name) == Some(catalogue)) {
        let elements = catalogue.split(&mut work.new).unwrap_or_default();
        lists.push((work.no, work.old.as_ref().map(|old| &old.links), elements));
    }
    let elements: Vec<&Element> = lists.iter().flat_map(|(_, _, elements)| elements).collect();
    known.learn(tx, catalogue, &elements).await?;
    let (mut counts, none) = (Counts::default(), Links::new());
    for (no, old, elements) in &lists {
        let new = links::wanted(elements, |hash| known.get(catalogue, hash));
        links::change(tx, catalogue, *no, (old.unwrap_or(&none), &new), &mut counts).await?;
    }
    counts.write(tx, catalogue).await
}

fn row(work: &Work<'_>, now: DateTime<Utc>) -> section::ActiveModel {
    let report = work.report;
    section::ActiveModel {
        machine_id: Set(report.machine),
        name: Set(report.name.clone()),
        digest: Set(report.digest.to_hex()),
        data: Set(work.new.clone()),
        collected_at: Set(DateTime::from_timestamp_millis(report.collected_at).unwrap_or(now)),
        received_at: Set(now),
    }
}

async fn upsert(
    db: &impl ConnectionTrait,
    rows: impl Iterator<Item = section::ActiveModel>,
) -> Result<(), DbErr> {
    use section::Column as C;
    let conflict = OnConflict::columns([C::MachineId, C::Name])
        .update_columns([C::Digest, C::Data, C::CollectedAt, C::ReceivedAt])
        .to_owned();
    section::Entity::insert_many(rows).on_conflict(conflict).exec_without_returning(db).await.map(drop)
}

async fn write_changes(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    works: &[Work<'_>],
) -> Result<(), DbErr> {
    let row = |work: &Work<'_>| {
        let (changes, truncated) = work.changes.as_ref().filter(|(changes, _)| !changes.is_empty())?;
        Some(change::ActiveModel {
            id: Set(Uuid::now_v7()),
            machine_id: Set(work.report.machine),
            section: Set(work.report.name.clone()),
            at: Set(now),
            digest: Set(work.report.digest.to_hex()),
            changes: Set(json!(changes)),
            truncated: Set(*truncated),
        })
    };
    let rows: Vec<change::ActiveModel> = works.iter().filter_map(row).collect();
    for rows in rows.chunks(CHUNK) {
        change::Entity::insert_many(rows.iter().cloned()).exec_without_returning(db).await?;
    }
    Ok(())
}

impl Machines {
    /// Forget packages and updates that no machine has, and history past its time.
    pub(super) async fn sweep_inventory(&self, known: &mut Known) -> Result<(), DbErr> {
        let tx = self.core.db.begin().await?;
        lock(&tx).await?;
        for table in ["software", "updates"] {
            let unused = Query::delete().from_table(table).and_where(Expr::col("machines").eq(0)).to_owned();
            tx.execute(&unused).await?;
        }
        let used = Query::select().column("title_id").from("software").to_owned();
        let titles = Query::delete()
            .from_table("software_titles")
            .and_where(Expr::col("machines").eq(0))
            .and_where(Expr::col("id").in_subquery(used).not())
            .to_owned();
        tx.execute(&titles).await?;
        tx.commit().await?;
        known.clear();
        let oldest =
            self.core.clock.now() - chrono::Duration::days(self.core.config.inventory.history_days.into());
        let old = change::Entity::delete_many().filter(change::Column::At.lt(oldest));
        old.exec(self.core.db.write()).await.map(drop)
    }
}
