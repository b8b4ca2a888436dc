//! Queries of saved searches, and of who uses them.

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, LikeExpr, Query},
};
use uuid::Uuid;

use super::entity;
use crate::http::Page;

/// Whose searches to show.
#[derive(Debug, Clone, Copy)]
pub(super) enum Visible {
    /// Everybody's.
    All,
    /// Shared ones, and those of a user.
    To(Option<Uuid>),
}

impl Visible {
    fn condition(self) -> Condition {
        match self {
            Self::All => Condition::all(),
            Self::To(user) => {
                let shared = Condition::any().add(entity::Column::Shared.eq(true));
                match user {
                    Some(user) => shared.add(entity::Column::OwnerId.eq(user)),
                    None => shared,
                }
            }
        }
    }
}

pub(super) async fn all(db: &impl ConnectionTrait) -> Result<Vec<entity::Model>, DbErr> {
    entity::Entity::find().order_by_asc(entity::Column::Name).all(db).await
}

/// A page by name.
pub(super) async fn list(
    db: &impl ConnectionTrait,
    visible: Visible,
    name: Option<String>,
    after: Option<String>,
    limit: u64,
) -> Result<Page<entity::Model>, DbErr> {
    let mut query = entity::Entity::find().filter(visible.condition());
    if let Some(name) = name {
        query = query.filter(entity::Column::Name.eq(name));
    }
    if let Some(after) = after {
        query = query.filter(entity::Column::Name.gt(after));
    }
    let rows = query.order_by_asc(entity::Column::Name).limit(limit + 1).all(db).await?;
    Ok(Page::cut(rows, limit, |row| row.name.clone()))
}

pub(super) async fn get(
    db: &impl ConnectionTrait,
    id: Uuid,
    visible: Visible,
) -> Result<Option<entity::Model>, DbErr> {
    entity::Entity::find_by_id(id).filter(visible.condition()).one(db).await
}

pub(super) async fn named(db: &impl ConnectionTrait, name: &str) -> Result<Option<entity::Model>, DbErr> {
    entity::Entity::find().filter(entity::Column::Name.eq(name)).one(db).await
}

/// Names and scopes of roles whose scope names saved searches.
pub(super) async fn scopes(db: &impl ConnectionTrait) -> Result<Vec<(String, String)>, DbErr> {
    selectors(db, "roles", "scope").await
}

/// Name and rule of each automatic tag that names saved searches.
pub(super) async fn tag_rules(db: &impl ConnectionTrait) -> Result<Vec<(String, String)>, DbErr> {
    selectors(db, "tags", "selector").await
}

/// Name and selector of each row of `table` that names saved searches.
async fn selectors(
    db: &impl ConnectionTrait,
    table: &'static str,
    column: &'static str,
) -> Result<Vec<(String, String)>, DbErr> {
    let names = |word: &str| Expr::col((table, column)).like(LikeExpr::new(format!("%{word}%")));
    let query = Query::select()
        .columns(["name", column])
        .from(table)
        .cond_where(Condition::any().add(names("search")).add(names("group")))
        .to_owned();
    let rows = db.query_all(&query).await?;
    rows.iter().map(|row| Ok((row.try_get("", "name")?, row.try_get("", column)?))).collect()
}
