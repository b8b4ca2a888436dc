//! The history of inventory: what changed on a machine, or in the fleet, since when.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, Query},
};
use uuid::Uuid;

use super::{InventoryChange, MachineError, Machines, entity::change, store};
use crate::{ctx::Ctx, http::Page, selector::Selector};

/// Which changes.
#[derive(Debug, Clone, Default)]
pub struct ChangeQuery {
    /// On machines a selector matches.
    pub selector: Option<Selector>,
    /// Of this section.
    pub section: Option<String>,
    /// Not before.
    pub since: Option<DateTime<Utc>>,
    /// Before.
    pub until: Option<DateTime<Utc>>,
    /// Continue after this key.
    pub after: Option<String>,
    /// At most so many.
    pub limit: u64,
}

impl Machines {
    /// How a machine's inventory changed, newest first.
    pub async fn changes(
        &self,
        ctx: &Ctx,
        id: Uuid,
        query: ChangeQuery,
    ) -> Result<Page<InventoryChange>, MachineError> {
        self.visible(ctx, "machines:read", id).await?;
        let condition = Condition::all().add(change::Column::MachineId.eq(id));
        Ok(self.found(condition, query).await?)
    }

    /// How the inventory of all machines within reach changed, newest first.
    pub async fn fleet_changes(
        &self,
        ctx: &Ctx,
        query: ChangeQuery,
    ) -> Result<Page<InventoryChange>, MachineError> {
        let scope = ctx.require_scope("machines:read")?;
        let env = self.core.selectors.env();
        let mut reach = scope.condition(&env);
        if let Some(selector) = &query.selector {
            reach = Condition::all().add(reach).add(selector.condition(&env));
        }
        let mut condition = Condition::all();
        if !reach.is_empty() {
            let machines = Query::select().column("id").from("machines").cond_where(reach).to_owned();
            condition = condition.add(Expr::col(("inventory_changes", "machine_id")).in_subquery(machines));
        }
        Ok(self.found(condition, query).await?)
    }

    /// A page in the order they came. Its key is `<microseconds>/<id>`.
    async fn found(&self, condition: Condition, query: ChangeQuery) -> Result<Page<InventoryChange>, DbErr> {
        use change::Column as C;
        let mut select = change::Entity::find().filter(condition);
        if let Some(section) = query.section {
            select = select.filter(C::Section.eq(section));
        }
        if let Some(since) = query.since {
            select = select.filter(C::At.gte(since));
        }
        if let Some(until) = query.until {
            select = select.filter(C::At.lt(until));
        }
        if let Some((at, id)) = query.after.as_deref().and_then(key) {
            let same = Condition::all().add(C::At.eq(at)).add(C::Id.lt(id));
            select = select.filter(C::At.lte(at)).filter(Condition::any().add(C::At.lt(at)).add(same));
        }
        let db = self.core.db.read();
        let rows = select.order_by_desc(C::At).order_by_desc(C::Id).limit(query.limit + 1).all(db).await?;
        let page = Page::cut(rows, query.limit, |row| format!("{}/{}", row.at.timestamp_micros(), row.id));
        let ids: Vec<Uuid> = page.items.iter().map(|row| row.machine_id).collect();
        let names = store::names(db, &ids).await?;
        Ok(page.map(|row| {
            let name = names.get(&row.machine_id).cloned().unwrap_or_default();
            InventoryChange::of(row, name)
        }))
    }
}

fn key(after: &str) -> Option<(DateTime<Utc>, Uuid)> {
    let (at, id) = after.split_once('/')?;
    Some((DateTime::from_timestamp_micros(at.parse().ok()?)?, id.parse().ok()?))
}
