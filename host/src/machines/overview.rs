//! Counts of machines: facets of a list, and the overview of everything.

use std::collections::BTreeMap;

use sea_orm::{
    Condition, ConnectionTrait, DbErr,
    sea_query::{Expr, ExprTrait, Func, JoinType, Order, Query, SelectStatement},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{MachineError, Machines};
use crate::{ctx::Ctx, selector::Selector};

/// Most values of a facet.
const MOST: u64 = 100;

/// A value and how many machines have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Facet {
    /// The value, as a selector term would name it.
    pub value: String,
    /// Machines.
    pub machines: i64,
}

/// How the machines of a list differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Facets {
    /// Machines in all.
    pub total: i64,
    /// By enrolment state.
    pub state: Vec<Facet>,
    /// `yes` and `no`.
    pub online: Vec<Facet>,
    /// By distribution.
    pub os: Vec<Facet>,
    /// By distribution and version: `debian 12`.
    pub os_version: Vec<Facet>,
    /// By architecture.
    pub arch: Vec<Facet>,
    /// By tag, those on most machines first; at most 100.
    pub tag: Vec<Facet>,
    /// What they need: `reboot`, `updates`, `security`.
    pub needs: Vec<Facet>,
}

/// What is wrong with some machines, with the selector that finds them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Trouble {
    /// `services`, `disk`, `memory`, `certificates`, `offline`.
    pub name: String,
    /// Selector.
    pub selector: String,
    /// Machines.
    pub machines: u64,
}

/// What an administrator wants to know of without asking, by name. Each is answered by an index.
const TROUBLES: [(&str, &str); 5] = [
    ("offline", "state:approved online:no"),
    ("services", "state:approved service:*=failed"),
    ("disk", "state:approved disk.percent>=90"),
    ("memory", "state:approved memory.percent>=95"),
    ("certificates", "state:approved cert.expires<14d"),
];

impl Machines {
    /// How the machines that a selector matches differ.
    pub async fn facets(&self, ctx: &Ctx, selector: Option<&Selector>) -> Result<Facets, MachineError> {
        let scope = ctx.require_scope("machines:read")?;
        let env = self.core.selectors.env();
        let mut within = Condition::all().add(scope.condition(&env));
        if let Some(selector) = selector {
            within = within.add(selector.condition(&env));
        }
        let db = self.core.db.read();
        let mut counted = Counted::default();
        for row in db.query_all(&alike(&within)).await? {
            counted.add(&row)?;
        }
        Ok(counted.facets(read(db, tags(&within)).await?))
    }

    /// Machines with each of the [`TROUBLES`], as far as the actor sees them; those that none has are left out.
    pub(crate) async fn troubles(&self, ctx: &Ctx) -> Result<Vec<Trouble>, MachineError> {
        let mut found = Vec::new();
        for (name, selector) in TROUBLES {
            let machines = self.count(ctx, selector).await?;
            if machines > 0 {
                found.push(Trouble { name: name.into(), selector: selector.into(), machines });
            }
        }
        Ok(found)
    }

    /// Machines by state, as far as the actor sees them.
    pub(crate) async fn by_state(&self, ctx: &Ctx) -> Result<BTreeMap<String, i64>, MachineError> {
        let within = ctx.require_scope("machines:read")?.condition(&self.core.selectors.env());
        let found = read(self.core.db.read(), by(&within, Expr::col(("machines", "state")))).await?;
        Ok(found.into_iter().map(|f| (f.value, f.machines)).collect())
    }
}

fn count() -> Expr {
    Expr::expr(Func::count(Expr::val(1)))
}

fn by(within: &Condition, value: Expr) -> SelectStatement {
    Query::select()
        .expr_as(value.clone(), "value")
        .expr_as(count(), "n")
        .from("machines")
        .cond_where(within.clone())
        .add_group_by([value])
        .order_by_expr(Expr::col("n"), Order::Desc)
        .limit(MOST)
        .to_owned()
}

fn tags(within: &Condition) -> SelectStatement {
    Query::select()
        .expr_as(Expr::col(("machine_tags", "tag")), "value")
        .expr_as(count(), "n")
        .from("machines")
        .join(
            JoinType::InnerJoin,
            "machine_tags",
            Expr::col(("machine_tags", "machine_id")).equals(("machines", "id")),
        )
        .cond_where(within.clone())
        .group_by_col(("machine_tags", "tag"))
        .order_by_expr(Expr::col("n"), Order::Desc)
        .limit(MOST)
        .to_owned()
}

async fn read(db: &impl ConnectionTrait, select: SelectStatement) -> Result<Vec<Facet>, DbErr> {
    let rows = db.query_all(&select).await?;
    rows.iter()
        .map(|row| Ok(Facet { value: row.try_get("", "value")?, machines: row.try_get("", "n")? }))
        .collect()
}

/// Machines that are alike in all that facets tell, with their number: one look at the table instead of one a facet.
fn alike(within: &Condition) -> SelectStatement {
    let mut query = Query::select();
    for (name, value) in alike_in() {
        query.expr_as(value.clone(), name).add_group_by([value]);
    }
    query.expr_as(count(), "n").from("machines").cond_where(within.clone()).to_owned()
}

fn alike_in() -> [(&'static str, Expr); 8] {
    let column = |name: &'static str| Expr::col(("machines", name));
    [
        ("state", column("state")),
        ("online", column("online")),
        ("os_id", column("os_id")),
        ("os_version", column("os_version")),
        ("arch", column("arch")),
        ("reboot", column("reboot_required")),
        // Without parameters: PostgreSQL would take the same one for two.
        ("with_updates", Expr::cust("machines.updates > 0")),
        ("with_security", Expr::cust("machines.security_updates > 0")),
    ]
}

/// Machines counted by each facet.
#[derive(Default)]
struct Counted {
    total: i64,
    state: BTreeMap<String, i64>,
    online: BTreeMap<String, i64>,
    os: BTreeMap<String, i64>,
    os_version: BTreeMap<String, i64>,
    arch: BTreeMap<String, i64>,
    reboot: i64,
    updates: i64,
    security: i64,
}

impl Counted {
    fn add(&mut self, row: &sea_orm::QueryResult) -> Result<(), DbErr> {
        let machines: i64 = row.try_get("", "n")?;
        let text = |column: &str| row.try_get::<String>("", column);
        let is = |column: &str| row.try_get::<bool>("", column);
        let (os, version) = (text("os_id")?, text("os_version")?);
        let online = if is("online")? { "yes" } else { "no" };
        self.total += machines;
        for (counts, value) in [
            (&mut self.state, text("state")?),
            (&mut self.online, online.to_owned()),
            (&mut self.os_version, format!("{os} {version}")),
            (&mut self.os, os),
            (&mut self.arch, text("arch")?),
        ] {
            *counts.entry(value).or_default() += machines;
        }
        for (count, column) in [
            (&mut self.reboot, "reboot"),
            (&mut self.updates, "with_updates"),
            (&mut self.security, "with_security"),
        ] {
            if is(column)? {
                *count += machines;
            }
        }
        Ok(())
    }

    fn facets(self, tag: Vec<Facet>) -> Facets {
        let needs = [("reboot", self.reboot), ("updates", self.updates), ("security", self.security)];
        Facets {
            total: self.total,
            state: most(self.state),
            online: most(self.online),
            os: most(self.os),
            os_version: most(self.os_version),
            arch: most(self.arch),
            tag,
            needs: needs.map(|(value, machines)| Facet { value: value.into(), machines }).into(),
        }
    }
}

/// Those on most machines first.
fn most(counts: BTreeMap<String, i64>) -> Vec<Facet> {
    let mut found: Vec<Facet> =
        counts.into_iter().map(|(value, machines)| Facet { value, machines }).collect();
    found.sort_by_key(|facet| std::cmp::Reverse(facet.machines));
    found.truncate(MOST as usize);
    found
}
