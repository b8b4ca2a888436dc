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
        let column = |name: &'static str| Expr::col(("machines", name));
        let by = |value: Expr| by(&within, value);
        let version = Expr::cust("machines.os_id || ' ' || machines.os_version");
        let online = yes_no(by(column("online")), db).await?;
        Ok(Facets {
            total: total(db, &within, Condition::all()).await?,
            state: read(db, by(column("state"))).await?,
            online,
            os: read(db, by(column("os_id"))).await?,
            os_version: read(db, by(version)).await?,
            arch: read(db, by(column("arch"))).await?,
            tag: read(db, tags(&within)).await?,
            needs: needs(db, &within).await?,
        })
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

async fn yes_no(select: SelectStatement, db: &impl ConnectionTrait) -> Result<Vec<Facet>, DbErr> {
    let rows = db.query_all(&select).await?;
    let facet = |row: &sea_orm::QueryResult| {
        let online: bool = row.try_get("", "value")?;
        let value = if online { "yes" } else { "no" };
        Ok(Facet { value: value.into(), machines: row.try_get("", "n")? })
    };
    rows.iter().map(facet).collect()
}

async fn total(db: &impl ConnectionTrait, within: &Condition, which: Condition) -> Result<i64, DbErr> {
    let within = Condition::all().add(within.clone()).add(which);
    let select = Query::select().expr_as(count(), "n").from("machines").cond_where(within).to_owned();
    db.query_one(&select).await?.map_or(Ok(0), |row| row.try_get("", "n"))
}

async fn needs(db: &impl ConnectionTrait, within: &Condition) -> Result<Vec<Facet>, DbErr> {
    let column = |name: &'static str| Expr::col(("machines", name));
    let kinds = [
        ("reboot", column("reboot_required").eq(true)),
        ("updates", column("updates").gt(0)),
        ("security", column("security_updates").gt(0)),
    ];
    let mut found = Vec::new();
    for (value, which) in kinds {
        let machines = total(db, within, Condition::all().add(which)).await?;
        found.push(Facet { value: value.into(), machines });
    }
    Ok(found)
}
