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
const MOST: usize = 100;

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
        let kinds = kinds(db, &within).await?;
        let sums = |value: fn(&Kind) -> String| sums(&kinds, value);
        Ok(Facets {
            total: kinds.iter().map(|k| k.machines).sum(),
            state: sums(|k| k.state.clone()),
            online: sums(|k| if k.online { "yes" } else { "no" }.into()),
            os: sums(|k| k.os.clone()),
            os_version: sums(|k| format!("{} {}", k.os, k.version)),
            arch: sums(|k| k.arch.clone()),
            tag: read(db, tags(&within)).await?,
            needs: needs(&kinds),
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
        .limit(MOST as u64)
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
        .limit(MOST as u64)
        .to_owned()
}

async fn read(db: &impl ConnectionTrait, select: SelectStatement) -> Result<Vec<Facet>, DbErr> {
    let rows = db.query_all(&select).await?;
    rows.iter()
        .map(|row| Ok(Facet { value: row.try_get("", "value")?, machines: row.try_get("", "n")? }))
        .collect()
}

/// Machines that are alike in everything a facet tells but their tags.
struct Kind {
    state: String,
    online: bool,
    os: String,
    version: String,
    arch: String,
    reboot: bool,
    updates: bool,
    security: bool,
    machines: i64,
}

/// Every kind within a condition, read at once: conditions are dear, and kinds are few.
async fn kinds(db: &impl ConnectionTrait, within: &Condition) -> Result<Vec<Kind>, DbErr> {
    let column = |name: &'static str| Expr::col(("machines", name));
    let values = [
        ("state", column("state")),
        ("online", column("online")),
        ("os_id", column("os_id")),
        ("os_version", column("os_version")),
        ("arch", column("arch")),
        ("reboot", column("reboot_required")),
        ("has_updates", Expr::cust("machines.updates > 0")),
        ("has_security", Expr::cust("machines.security_updates > 0")),
    ];
    let mut select = Query::select();
    select.expr_as(count(), "n").from("machines").cond_where(within.clone());
    for (name, value) in values {
        select.expr_as(value.clone(), name).add_group_by([value]);
    }
    let rows = db.query_all(&select).await?;
    rows.iter()
        .map(|row| {
            Ok(Kind {
                state: row.try_get("", "state")?,
                online: row.try_get("", "online")?,
                os: row.try_get("", "os_id")?,
                version: row.try_get("", "os_version")?,
                arch: row.try_get("", "arch")?,
                reboot: row.try_get("", "reboot")?,
                updates: row.try_get("", "has_updates")?,
                security: row.try_get("", "has_security")?,
                machines: row.try_get("", "n")?,
            })
        })
        .collect()
}

/// Machines by a value of their kind, the value of most first.
fn sums(kinds: &[Kind], value: fn(&Kind) -> String) -> Vec<Facet> {
    let mut found = BTreeMap::<String, i64>::new();
    for kind in kinds {
        *found.entry(value(kind)).or_default() += kind.machines;
    }
    let mut facets: Vec<Facet> =
        found.into_iter().map(|(value, machines)| Facet { value, machines }).collect();
    facets.sort_by_key(|f| std::cmp::Reverse(f.machines));
    facets.truncate(MOST);
    facets
}

fn needs(kinds: &[Kind]) -> Vec<Facet> {
    let of = |value: &str, which: fn(&Kind) -> bool| Facet {
        value: value.into(),
        machines: kinds.iter().filter(|k| which(k)).map(|k| k.machines).sum(),
    };
    vec![of("reboot", |k| k.reboot), of("updates", |k| k.updates), of("security", |k| k.security)]
}
