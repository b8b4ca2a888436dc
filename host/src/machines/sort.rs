//! The orders of a list of machines, each an index with the id at its end, and pages within them.

use std::str::FromStr;

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Select, Value, sea_query::NullOrdering,
};
use uuid::Uuid;

use super::{MachineError, entity::machine};
use crate::http::Page;

/// What a list is ordered by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SortBy {
    /// When machines asked to join.
    #[default]
    Created,
    /// Name.
    Name,
    /// Last sign of life; machines that never gave one come first.
    LastSeen,
    /// System and version.
    Os,
    /// Number of updates.
    Updates,
    /// Number of security updates.
    Security,
}

/// The order of a list of machines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sort {
    /// By what.
    pub by: SortBy,
    /// The greatest first.
    pub descending: bool,
}

impl FromStr for Sort {
    type Err = MachineError;

    fn from_str(text: &str) -> Result<Self, MachineError> {
        let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
        let by = match name {
            "created" => SortBy::Created,
            "name" => SortBy::Name,
            "last_seen" => SortBy::LastSeen,
            "os" => SortBy::Os,
            "updates" => SortBy::Updates,
            "security" => SortBy::Security,
            _ => {
                let detail = "Sort by `created`, `name`, `last_seen`, `os`, `updates` or `security`, with `-` before it for the greatest first.";
                return Err(MachineError::Invalid { field: "sort", detail: detail.into() });
            }
        };
        Ok(Self { by, descending })
    }
}

impl Sort {
    fn columns(self) -> &'static [machine::Column] {
        use machine::Column as C;
        match self.by {
            SortBy::Created => &[C::Id],
            SortBy::Name => &[C::Name, C::Id],
            SortBy::LastSeen => &[C::LastSeenAt, C::Id],
            SortBy::Os => &[C::OsId, C::OsVersion, C::Id],
            SortBy::Updates => &[C::Updates, C::Id],
            SortBy::Security => &[C::SecurityUpdates, C::Id],
        }
    }

    fn ordered(self, mut query: Select<machine::Entity>) -> Select<machine::Entity> {
        let (order, nulls) = match self.descending {
            true => (Order::Desc, NullOrdering::Last),
            false => (Order::Asc, NullOrdering::First),
        };
        for column in self.columns() {
            query = match is_null_able(*column) {
                true => query.order_by_with_nulls(*column, order.clone(), nulls),
                false => query.order_by(*column, order.clone()),
            };
        }
        query
    }

    /// Rows after `row` in this order.
    fn after(self, row: &machine::Model) -> Condition {
        let columns = self.columns();
        let mut any = Condition::any();
        for (i, column) in columns.iter().enumerate() {
            let value = value(row, *column);
            let mut all = Condition::all();
            for column in &columns[..i] {
                all = all.add(same(*column, self::value(row, *column)));
            }
            match (value, self.descending) {
                // Nothing comes before everything.
                (None, false) => all = all.add(column.is_not_null()),
                (None, true) => continue,
                (Some(value), false) => all = all.add(column.gt(value)),
                (Some(value), true) if is_null_able(*column) => {
                    all = all.add(Condition::any().add(column.lt(value)).add(column.is_null()));
                }
                (Some(value), true) => all = all.add(column.lt(value)),
            }
            any = any.add(all);
        }
        Condition::all().add_option(self.bound(row)).add(any)
    }

    /// Where an index may begin; what comes after says the rest.
    fn bound(self, row: &machine::Model) -> Option<sea_orm::sea_query::Expr> {
        let column = self.columns()[0];
        let value = value(row, column)?;
        match self.descending {
            false => Some(column.gte(value)),
            true if is_null_able(column) => None,
            true => Some(column.lte(value)),
        }
    }
}

fn is_null_able(column: machine::Column) -> bool {
    matches!(column, machine::Column::LastSeenAt)
}

fn same(column: machine::Column, value: Option<Value>) -> sea_orm::sea_query::Expr {
    value.map_or_else(|| column.is_null(), |value| column.eq(value))
}

fn value(row: &machine::Model, column: machine::Column) -> Option<Value> {
    use machine::Column as C;
    match column {
        C::Name => Some(row.name.clone().into()),
        C::LastSeenAt => row.last_seen_at.map(Into::into),
        C::OsId => Some(row.os_id.clone().into()),
        C::OsVersion => Some(row.os_version.clone().into()),
        C::Updates => Some(row.updates.into()),
        C::SecurityUpdates => Some(row.security_updates.into()),
        _ => Some(row.id.into()),
    }
}

/// Machines that are looked at first, in the order of the list. A filter that lets every fortieth through is answered
/// from them; one that lets fewer through leaves few to sort.
const NEAR: u64 = 2000;

/// Which machines, said twice.
pub(super) struct Wanted {
    /// For a look at few machines ([`crate::selector::Env::row_by_row`]).
    pub near: Condition,
    /// For all of them.
    pub all: Condition,
}

/// A page of machines. Its key is the last machine's id; a cursor whose machine was removed begins anew after its id.
///
/// Planners either walk along the order, slow when few machines are wanted, or gather all that are wanted and sort them,
/// slow when they are many, and cannot know beforehand. So the first [`NEAR`] are walked, and gathering is left for when
/// the page is not full after that.
pub(super) async fn list(
    db: &impl ConnectionTrait,
    wanted: Wanted,
    sort: Sort,
    after: Option<String>,
    limit: u64,
) -> Result<Page<machine::Model>, DbErr> {
    let mut from = Condition::all();
    if let Some(after) = after {
        let id = after.split('/').next().and_then(|id| id.parse::<Uuid>().ok()).unwrap_or_default();
        from = match machine::Entity::find_by_id(id).one(db).await? {
            Some(row) => sort.after(&row),
            None => from.add(machine::Column::Id.gt(id)),
        };
    }
    let near = sort.ordered(machine::Entity::find().filter(from.clone())).limit(NEAR).into_query();
    let mut query = sort.ordered(machine::Entity::find().filter(wanted.near)).limit(limit + 1);
    QuerySelect::query(&mut query).from_clear().from_subquery(near, "machines");
    let mut rows = query.all(db).await?;
    if rows.len() as u64 <= limit {
        let query = sort.ordered(machine::Entity::find().filter(wanted.all).filter(from));
        rows = query.limit(limit + 1).all(db).await?;
    }
    Ok(Page::cut(rows, limit, |row| row.id.to_string()))
}
