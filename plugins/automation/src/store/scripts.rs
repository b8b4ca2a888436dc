//! Queries on scripts, versions, shares and changes.

use chrono::{DateTime, Utc};
use plugin_sdk::sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait, Func},
};
use uuid::Uuid;

use super::{PageRequest, Result, Viewer, contains};
use crate::{
    entities::{script, script_change, script_share, script_version},
    model::sharing::Sharing,
};

/// Filters of the list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Part of name or description, whatever the case.
    pub text: Option<String>,
    /// Tag.
    pub tag: Option<String>,
    /// Interpreter.
    pub interpreter: Option<String>,
    /// Archived ones, or the others.
    pub archived: Option<bool>,
    /// Owner.
    pub owner: Option<String>,
}

/// What a viewer may see: their own, what is shared with them or with everyone.
pub fn visible(viewer: &Viewer) -> Condition {
    if viewer.all {
        return Condition::all();
    }
    let shared = script_share::Entity::find()
        .select_only()
        .column(script_share::Column::ScriptId)
        .filter(
            Condition::any()
                .add(
                    script_share::Column::Kind
                        .eq("user")
                        .and(script_share::Column::Name.eq(viewer.principal.clone())),
                )
                .add(
                    script_share::Column::Kind
                        .eq("role")
                        .and(script_share::Column::Name.is_in(viewer.roles.iter().cloned())),
                ),
        )
        .into_query();
    Condition::any()
        .add(script::Column::Owner.eq(viewer.principal.clone()))
        .add(script::Column::Sharing.eq("everyone"))
        .add(script::Column::Sharing.eq("some").and(script::Column::Id.in_subquery(shared)))
}

/// A page of scripts, newest first.
pub async fn list<C: ConnectionTrait>(
    db: &C,
    viewer: &Viewer,
    filter: &Filter,
    page: PageRequest,
) -> Result<Vec<script::Model>> {
    let mut query = script::Entity::find().filter(visible(viewer));
    if let Some(text) = &filter.text {
        let lower = |c| Expr::expr(Func::lower(Expr::col(c)));
        query = query.filter(
            Condition::any()
                .add(lower(script::Column::Name).like(contains(text)))
                .add(lower(script::Column::Description).like(contains(text))),
        );
    }
    if let Some(tag) = &filter.tag {
        // Tags are a JSON list of lower-case words without quotes.
        query = query.filter(script::Column::Tags.like(contains(&format!("\"{tag}\""))));
    }
    if let Some(interpreter) = &filter.interpreter {
        query = query.filter(script::Column::Interpreter.eq(interpreter.clone()));
    }
    match filter.archived {
        Some(true) => query = query.filter(script::Column::ArchivedAt.is_not_null()),
        Some(false) => query = query.filter(script::Column::ArchivedAt.is_null()),
        None => {}
    }
    if let Some(owner) = &filter.owner {
        query = query.filter(script::Column::Owner.eq(owner.clone()));
    }
    if let Some(after) = page.after {
        query = query.filter(script::Column::Id.lt(after));
    }
    query.order_by_desc(script::Column::Id).limit(page.limit).all(db).await
}

/// One script that the viewer may see.
pub async fn find<C: ConnectionTrait>(db: &C, viewer: &Viewer, id: Uuid) -> Result<Option<script::Model>> {
    script::Entity::find_by_id(id).filter(visible(viewer)).one(db).await
}

/// Insert or update a script.
pub async fn insert<C: ConnectionTrait>(db: &C, row: script::Model) -> Result<()> {
    script::Entity::insert(row.into_active_model()).exec_without_returning(db).await.map(|_| ())
}

/// Write the fields that change after creation. False when the row was changed since it was read.
pub async fn update<C: ConnectionTrait>(db: &C, row: &script::Model, read_at: DateTime<Utc>) -> Result<bool> {
    let done = script::Entity::update_many()
        .col_expr(script::Column::Name, row.name.clone().into())
        .col_expr(script::Column::Description, row.description.clone().into())
        .col_expr(script::Column::Owner, row.owner.clone().into())
        .col_expr(script::Column::OwnerName, row.owner_name.clone().into())
        .col_expr(script::Column::Sharing, row.sharing.clone().into())
        .col_expr(script::Column::Tags, row.tags.clone().into())
        .col_expr(script::Column::Interpreter, row.interpreter.clone().into())
        .col_expr(script::Column::Privileged, row.privileged.into())
        .col_expr(script::Column::LatestVersion, row.latest_version.into())
        .col_expr(script::Column::ArchivedAt, Expr::val(row.archived_at))
        .col_expr(script::Column::UpdatedAt, Expr::val(row.updated_at))
        .filter(script::Column::Id.eq(row.id))
        .filter(script::Column::UpdatedAt.eq(read_at))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// Add a version; versions are never changed.
pub async fn insert_version<C: ConnectionTrait>(db: &C, row: script_version::Model) -> Result<()> {
    script_version::Entity::insert(row.into_active_model()).exec_without_returning(db).await.map(|_| ())
}

/// A version by number.
pub async fn version<C: ConnectionTrait>(
    db: &C,
    script_id: Uuid,
    number: i32,
) -> Result<Option<script_version::Model>> {
    script_version::Entity::find()
        .filter(script_version::Column::ScriptId.eq(script_id))
        .filter(script_version::Column::Number.eq(number))
        .one(db)
        .await
}

/// A version by id.
pub async fn version_by_id<C: ConnectionTrait>(db: &C, id: Uuid) -> Result<Option<script_version::Model>> {
    script_version::Entity::find_by_id(id).one(db).await
}

/// A page of versions, newest first.
pub async fn versions<C: ConnectionTrait>(
    db: &C,
    script_id: Uuid,
    page: PageRequest,
) -> Result<Vec<script_version::Model>> {
    let mut query = script_version::Entity::find().filter(script_version::Column::ScriptId.eq(script_id));
    if let Some(after) = page.after {
        query = query.filter(script_version::Column::Id.lt(after));
    }
    query.order_by_desc(script_version::Column::Id).limit(page.limit).all(db).await
}

/// With whom scripts are shared.
pub async fn sharing<C: ConnectionTrait>(db: &C, row: &script::Model) -> Result<Sharing> {
    Ok(match row.sharing.as_str() {
        "everyone" => Sharing::Everyone,
        "some" => {
            let shares = script_share::Entity::find()
                .filter(script_share::Column::ScriptId.eq(row.id))
                .order_by_asc(script_share::Column::Name)
                .all(db)
                .await?;
            let of = |kind: &str| shares.iter().filter(|s| s.kind == kind).map(|s| s.name.clone()).collect();
            Sharing::Some { users: of("user"), roles: of("role") }
        }
        _ => Sharing::Private,
    })
}

/// Replace the list of users and roles.
pub async fn set_shares<C: ConnectionTrait>(db: &C, script_id: Uuid, sharing: &Sharing) -> Result<()> {
    script_share::Entity::delete_many().filter(script_share::Column::ScriptId.eq(script_id)).exec(db).await?;
    let Sharing::Some { users, roles } = sharing else { return Ok(()) };
    let all = users.iter().map(|n| ("user", n)).chain(roles.iter().map(|n| ("role", n)));
    for (kind, name) in all {
        let share = script_share::ActiveModel {
            id: Set(Uuid::now_v7()),
            script_id: Set(script_id),
            kind: Set(kind.into()),
            name: Set(name.clone()),
        };
        share.insert(db).await?;
    }
    Ok(())
}

/// Note a change.
pub async fn insert_change<C: ConnectionTrait>(db: &C, row: script_change::Model) -> Result<()> {
    script_change::Entity::insert(row.into_active_model()).exec_without_returning(db).await.map(|_| ())
}

/// A page of changes, newest first.
pub async fn changes<C: ConnectionTrait>(
    db: &C,
    script_id: Uuid,
    page: PageRequest,
) -> Result<Vec<script_change::Model>> {
    let mut query = script_change::Entity::find().filter(script_change::Column::ScriptId.eq(script_id));
    if let Some(after) = page.after {
        query = query.filter(script_change::Column::Id.lt(after));
    }
    query.order_by_desc(script_change::Column::Id).limit(page.limit).all(db).await
}
