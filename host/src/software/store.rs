//! Queries of software and updates. Lists of the whole fleet read counts that are kept; others count what the machines
//! within reach have, or take from the counts what the others have, whichever are fewer.

use sea_orm::{
    Condition, ConnectionTrait, DbErr, QueryResult,
    sea_query::{
        Alias, Expr, ExprTrait, Func, JoinType, LikeExpr, Order as Direction, Query, SelectStatement,
    },
};
use uuid::Uuid;

use super::{
    Installed, Title, Update, Version,
    service::{Listing, Order, Reach},
};
use crate::http::Page;

/// Package systems that may have a title of one name.
const MOST_NAMESAKES: u64 = 20;
/// Most versions of a title that are told.
const MOST_VERSIONS: u64 = 500;
/// Most entries of a title whose machines are looked for.
const MOST_ENTRIES: u64 = 2_000;

/// How many machines `condition` reaches, and how many there are.
pub(super) async fn reached(db: &impl ConnectionTrait, condition: &Condition) -> Result<(i64, i64), DbErr> {
    let count = |condition: Condition| {
        Query::select().expr_as(count(), "n").from("machines").cond_where(condition).to_owned()
    };
    Ok((one(db, &count(condition.clone())).await?, one(db, &count(Condition::all())).await?))
}

fn count() -> Expr {
    Expr::expr(Func::count(Expr::val(1)))
}

async fn one(db: &impl ConnectionTrait, select: &SelectStatement) -> Result<i64, DbErr> {
    db.query_one(select).await?.map_or(Ok(0), |row| row.try_get("", "n"))
}

/// Links of machines that `condition` reaches.
fn links(table: &'static str, condition: &Condition) -> SelectStatement {
    Query::select()
        .from("machines")
        .join_as(JoinType::InnerJoin, table, "l", Expr::col(("l", "machine_no")).equals(("machines", "no")))
        .cond_where(condition.clone())
        .to_owned()
}

/// The same for counting: a join would let a planner read every link there is when `condition` is a `not`.
fn links_of(table: &'static str, condition: &Condition) -> SelectStatement {
    let reached =
        Query::select().column(("machines", "no")).from("machines").cond_where(condition.clone()).to_owned();
    Query::select()
        .from_as(table, "l")
        .and_where(Expr::col(("l", "machine_no")).in_subquery(reached))
        .to_owned()
}

/// Machines per title among those reached: `id`, `n`.
fn per_title(condition: &Condition) -> SelectStatement {
    let per_entry = links_of("machine_software", condition)
        .column(("l", "entry_id"))
        .expr_as(count(), "n")
        .and_where(Expr::col(("l", "also")).is_null())
        .group_by_col(("l", "entry_id"))
        .to_owned();
    Query::select()
        .expr_as(Expr::col(("s", "title_id")), "id")
        .expr_as(Expr::expr(Func::sum(Expr::col(("p", "n")))).cast_as(Alias::new("bigint")), "n")
        .from_subquery(per_entry, "p")
        .join_as(JoinType::InnerJoin, "software", "s", Expr::col(("s", "id")).equals(("p", "entry_id")))
        .group_by_col(("s", "title_id"))
        .to_owned()
}

fn per_update(condition: &Condition) -> SelectStatement {
    links_of("machine_updates", condition)
        .expr_as(Expr::col(("l", "entry_id")), "id")
        .expr_as(count(), "n")
        .group_by_col(("l", "entry_id"))
        .to_owned()
}

/// A list over `table`, whose rows have `search`, `machines` and `id`, with `n` machines within reach.
fn rolled_up(
    table: &'static str,
    reach: &Reach,
    per: impl Fn(&Condition) -> SelectStatement,
    listing: &Listing,
) -> SelectStatement {
    let mut select = Query::select();
    select.from_as(table, "t");
    let kept = Expr::col(("t", "machines")).cast_as(Alias::new("bigint"));
    let n = match reach {
        Reach::All => {
            select.and_where(Expr::col(("t", "machines")).gt(0));
            if listing.order == Order::Machines { Expr::col(("t", "machines")) } else { kept.clone() }
        }
        Reach::Few(condition) => {
            select.join_subquery(
                JoinType::InnerJoin,
                per(condition),
                "c",
                Expr::col(("c", "id")).equals(("t", "id")),
            );
            Expr::col(("c", "n"))
        }
        Reach::AllBut(condition) => {
            // `not` of a condition that is unknown is unknown: what is not reached is what is not among the reached.
            let reached = Query::select()
                .column(("machines", "no"))
                .from("machines")
                .cond_where(condition.clone())
                .to_owned();
            let others = Condition::all().add(Expr::col(("machines", "no")).in_subquery(reached).not());
            select.join_subquery(
                JoinType::LeftJoin,
                per(&others),
                "c",
                Expr::col(("c", "id")).equals(("t", "id")),
            );
            let n = kept.clone().sub(Expr::expr(Func::coalesce([Expr::col(("c", "n")), Expr::val(0)])));
            select.and_where(n.clone().gt(0));
            n
        }
    };
    select.expr_as(if matches!(reach, Reach::All) { kept } else { n.clone() }, "n");
    if let Some(search) = listing.search.as_deref().filter(|s| !s.trim().is_empty()) {
        select.and_where(Expr::col(("t", "search")).like(contains(search)));
    }
    if let Some(manager) = &listing.manager {
        select.and_where(Expr::col(("t", "manager")).eq(manager.clone()));
    }
    order(&mut select, n, listing);
    select.limit(listing.limit + 1);
    select
}

fn order(select: &mut SelectStatement, n: Expr, listing: &Listing) {
    let (id, search) = (Expr::col(("t", "id")), Expr::col(("t", "search")));
    let after = listing.after.as_deref().and_then(|after| {
        let (id, value) = after.split_once('/')?;
        Some((id.parse::<i32>().ok()?, value))
    });
    match listing.order {
        Order::Name => {
            if let Some((last, value)) = after {
                let beyond = Condition::any()
                    .add(search.clone().gt(value))
                    .add(Condition::all().add(search.clone().eq(value)).add(id.clone().gt(last)));
                select.and_where(search.clone().gte(value)).cond_where(beyond);
            }
            select.order_by_expr(search, Direction::Asc).order_by_expr(id, Direction::Asc);
        }
        Order::Machines => {
            if let Some((last, value)) = after {
                let value: i64 = value.parse().unwrap_or_default();
                let beyond = Condition::any()
                    .add(n.clone().lt(value))
                    .add(Condition::all().add(n.clone().eq(value)).add(id.clone().lt(last)));
                select.and_where(n.clone().lte(value)).cond_where(beyond);
            }
            select.order_by_expr(n, Direction::Desc).order_by_expr(id, Direction::Desc);
        }
    }
}

fn contains(search: &str) -> LikeExpr {
    let mut pattern = String::from("%");
    for c in search.trim().to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    LikeExpr::new(pattern).escape('\\')
}

fn key(order: Order, id: i32, search: &str, n: i64) -> String {
    match order {
        Order::Name => format!("{id}/{search}"),
        Order::Machines => format!("{id}/{n}"),
    }
}

pub(super) async fn titles(
    db: &impl ConnectionTrait,
    reach: &Reach,
    listing: Listing,
) -> Result<Page<Title>, DbErr> {
    let mut select = rolled_up("software_titles", reach, per_title, &listing);
    let reached = match reach {
        Reach::All => None,
        Reach::Few(condition) | Reach::AllBut(condition) => Some(condition),
    };
    title_columns(&mut select).column(("t", "search"));
    let rows = db.query_all(&select).await?;
    let rows = rows.iter().map(|row| Ok((row.try_get::<String>("", "search")?, as_title(row)?)));
    let rows: Vec<(String, Title)> = rows.collect::<Result<_, DbErr>>()?;
    let mut page = Page::cut(rows, listing.limit, |(search, t)| key(listing.order, t.id, search, t.machines));
    count_versions(db, page.items.iter_mut().map(|(_, title)| title).collect(), reached).await?;
    Ok(page.map(|(_, title)| title))
}

/// Count the versions that machines within reach have. Of a page's titles alone: a database that has rows to sort would
/// count for all of them.
async fn count_versions(
    db: &impl ConnectionTrait,
    mut titles: Vec<&mut Title>,
    reached: Option<&Condition>,
) -> Result<(), DbErr> {
    if titles.is_empty() {
        return Ok(());
    }
    let mut versions = Query::select()
        .column(("v", "title_id"))
        .expr_as(Expr::expr(Func::count_distinct(Expr::col(("v", "version")))), "n")
        .from_as("software", "v")
        .and_where(Expr::col(("v", "title_id")).is_in(titles.iter().map(|title| title.id)))
        .and_where(Expr::col(("v", "machines")).gt(0))
        .group_by_col(("v", "title_id"))
        .to_owned();
    if let Some(condition) = reached {
        versions.and_where(had("v", condition));
    }
    for row in db.query_all(&versions).await? {
        let (id, n): (i32, i64) = (row.try_get("", "title_id")?, row.try_get("", "n")?);
        titles.iter_mut().filter(|title| title.id == id).for_each(|title| title.versions = n);
    }
    Ok(())
}

/// Whether a machine within reach has the entry of `software`, here called `entry`.
fn had(entry: &'static str, condition: &Condition) -> Expr {
    let links = links("machine_software", condition)
        .expr(Expr::val(1))
        .and_where(Expr::col(("l", "entry_id")).equals((entry, "id")))
        .to_owned();
    Expr::exists(links)
}

fn title_columns(select: &mut SelectStatement) -> &mut SelectStatement {
    select.columns([("t", "id"), ("t", "manager"), ("t", "name"), ("t", "title")])
}

/// A title whose versions are not counted yet.
fn as_title(row: &QueryResult) -> Result<Title, DbErr> {
    Ok(Title {
        id: row.try_get("", "id")?,
        manager: row.try_get("", "manager")?,
        name: row.try_get("", "name")?,
        title: row.try_get("", "title")?,
        machines: row.try_get("", "n")?,
        versions: 0,
    })
}

/// Titles by id or name, those on most machines first.
pub(super) async fn named(
    db: &impl ConnectionTrait,
    software: &str,
    reached: Option<&Condition>,
) -> Result<Vec<Title>, DbErr> {
    let mut select = Query::select();
    title_columns(select.from_as("software_titles", "t"));
    select.expr_as(Expr::col(("t", "machines")).cast_as(Alias::new("bigint")), "n");
    match software.parse::<i32>() {
        Ok(id) => select.and_where(Expr::col(("t", "id")).eq(id)),
        Err(_) => select.and_where(Expr::col(("t", "name")).eq(software)),
    };
    select.order_by(("t", "machines"), Direction::Desc).limit(MOST_NAMESAKES);
    let rows = db.query_all(&select).await?;
    let mut titles = rows.iter().map(as_title).collect::<Result<Vec<_>, _>>()?;
    count_versions(db, titles.iter_mut().collect(), reached).await?;
    Ok(titles)
}

/// Machines within reach that have a title.
pub(super) async fn machines_with(
    db: &impl ConnectionTrait,
    title: i32,
    condition: &Condition,
) -> Result<i64, DbErr> {
    let entries =
        Query::select().column("id").from("software").and_where(Expr::col("title_id").eq(title)).to_owned();
    let select = links("machine_software", condition)
        .expr_as(count(), "n")
        .and_where(Expr::col(("l", "entry_id")).in_subquery(entries))
        .and_where(Expr::col(("l", "also")).is_null())
        .to_owned();
    one(db, &select).await
}

/// Versions of a title, those on most machines first.
pub(super) async fn versions(
    db: &impl ConnectionTrait,
    title: i32,
    condition: Option<&Condition>,
) -> Result<Vec<Version>, DbErr> {
    let n = match condition {
        None => Expr::col(("s", "machines")).cast_as(Alias::new("bigint")),
        Some(condition) => {
            let counted = links("machine_software", condition)
                .expr(count())
                .and_where(Expr::col(("l", "entry_id")).equals(("s", "id")))
                .to_owned();
            Expr::SubQuery(None, Box::new(counted.into()))
        }
    };
    let select = Query::select()
        .columns([("s", "version"), ("s", "arch")])
        .expr_as(n, "n")
        .from_as("software", "s")
        .and_where(Expr::col(("s", "title_id")).eq(title))
        .and_where_option(condition.map(|condition| had("s", condition)))
        .order_by(("s", "machines"), Direction::Desc)
        .limit(MOST_VERSIONS)
        .to_owned();
    let mut found: Vec<Version> = Vec::new();
    for row in db.query_all(&select).await? {
        let (version, arch): (String, String) = (row.try_get("", "version")?, row.try_get("", "arch")?);
        let machines: i64 = row.try_get("", "n")?;
        match found.iter_mut().find(|v| v.version == version && v.arch == arch) {
            // Packages that differ in nothing that is shown.
            Some(same) => same.machines += machines,
            None => found.push(Version { version, arch, machines }),
        }
    }
    found.retain(|v| v.machines > 0);
    found.sort_by(|a, b| b.machines.cmp(&a.machines).then_with(|| a.version.cmp(&b.version)));
    Ok(found)
}

/// Entries of a title, of one version when it is named.
pub(super) async fn entries(
    db: &impl ConnectionTrait,
    title: i32,
    version: Option<&str>,
) -> Result<Vec<i32>, DbErr> {
    let mut select = Query::select();
    select.column("id").from("software").and_where(Expr::col("title_id").eq(title));
    select.order_by("machines", Direction::Desc).limit(MOST_ENTRIES);
    if let Some(version) = version {
        select.and_where(Expr::col("version").eq(version));
    }
    db.query_all(&select).await?.iter().map(|row| row.try_get("", "id")).collect()
}

/// Machines that have one of `entries`, by name. The key is `<entry>/<machine>/<name>`.
pub(super) async fn machines(
    db: &impl ConnectionTrait,
    links: &'static str,
    table: &'static str,
    entries: &[i32],
    condition: Option<Condition>,
    listing: &Listing,
) -> Result<Page<Installed>, DbErr> {
    if entries.is_empty() {
        return Ok(Page { items: Vec::new(), next_cursor: None });
    }
    let mut select = self::links(links, &condition.unwrap_or_else(Condition::all));
    select
        .columns([("machines", "id"), ("machines", "name"), ("machines", "online")])
        .columns([("e", "version"), ("e", "arch")])
        .expr_as(Expr::col(("l", "entry_id")), "entry")
        .join_as(JoinType::InnerJoin, table, "e", Expr::col(("e", "id")).equals(("l", "entry_id")))
        .and_where(Expr::col(("l", "entry_id")).is_in(entries.iter().copied()));
    if let Some((entry, id, name)) = listing.after.as_deref().and_then(machine_key) {
        let column = |name: &'static str| Expr::col(("machines", name));
        let beyond = Condition::any()
            .add(column("name").gt(name))
            .add(Condition::all().add(column("name").eq(name)).add(column("id").gt(id)))
            .add(
                Condition::all()
                    .add(column("name").eq(name))
                    .add(column("id").eq(id))
                    .add(Expr::col(("l", "entry_id")).gt(entry)),
            );
        select.cond_where(beyond);
    }
    for column in [("machines", "name"), ("machines", "id"), ("l", "entry_id")] {
        select.order_by(column, Direction::Asc);
    }
    let rows = db.query_all(select.limit(listing.limit + 1)).await?;
    let rows = rows.iter().map(|row| Ok((row.try_get::<i32>("", "entry")?, installed(row)?)));
    let rows: Vec<(i32, Installed)> = rows.collect::<Result<_, DbErr>>()?;
    let page =
        Page::cut(rows, listing.limit, |(entry, m)| format!("{entry}/{}/{}", m.machine_id, m.machine_name));
    Ok(page.map(|(_, machine)| machine))
}

fn machine_key(after: &str) -> Option<(i32, Uuid, &str)> {
    let mut parts = after.splitn(3, '/');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?))
}

fn installed(row: &QueryResult) -> Result<Installed, DbErr> {
    Ok(Installed {
        machine_id: row.try_get("", "id")?,
        machine_name: row.try_get("", "name")?,
        online: row.try_get("", "online")?,
        version: row.try_get("", "version")?,
        arch: row.try_get("", "arch")?,
    })
}

pub(super) async fn updates(
    db: &impl ConnectionTrait,
    reach: &Reach,
    listing: Listing,
) -> Result<Page<Update>, DbErr> {
    let mut select = rolled_up("updates", reach, per_update, &listing);
    if let Some(security) = listing.security {
        select.and_where(Expr::col(("t", "security")).eq(security));
    }
    for column in ["id", "manager", "name", "version", "arch", "security"] {
        select.column(("t", column));
    }
    let rows = db.query_all(&select).await?;
    let rows: Vec<Update> = rows.iter().map(update).collect::<Result<_, DbErr>>()?;
    Ok(Page::cut(rows, listing.limit, |u| key(listing.order, u.id, &u.name.to_lowercase(), u.machines)))
}

fn update(row: &QueryResult) -> Result<Update, DbErr> {
    Ok(Update {
        id: row.try_get("", "id")?,
        manager: row.try_get("", "manager")?,
        name: row.try_get("", "name")?,
        version: row.try_get("", "version")?,
        arch: row.try_get("", "arch")?,
        security: row.try_get("", "security")?,
        machines: row.try_get("", "n")?,
    })
}
