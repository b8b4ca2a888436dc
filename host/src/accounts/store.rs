//! Queries of accounts.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{Expr, ExprTrait, Query},
};
use uuid::Uuid;

use super::entity::{invitation, login_flow, role, session, token, user, user_role};

/// Users by name, after a name.
pub(super) async fn users(
    db: &impl ConnectionTrait,
    after: Option<String>,
    limit: u64,
) -> Result<Vec<user::Model>, DbErr> {
    let mut query = user::Entity::find().order_by_asc(user::Column::Name).limit(limit);
    if let Some(after) = after {
        query = query.filter(user::Column::Name.gt(after));
    }
    query.all(db).await
}

/// A user by name.
pub(super) async fn user_by_name(
    db: &impl ConnectionTrait,
    name: &str,
) -> Result<Option<user::Model>, DbErr> {
    // PostgreSQL refuses text with NUL, so nobody has such a name.
    if name.contains('\0') {
        return Ok(None);
    }
    user::Entity::find().filter(user::Column::Name.eq(name)).one(db).await
}

/// Whether there is any user.
pub(super) async fn any_user(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    Ok(user::Entity::find().limit(1).count(db).await? > 0)
}

/// Roles of users, by user.
pub(super) async fn roles_of(
    db: &impl ConnectionTrait,
    users: &[Uuid],
) -> Result<HashMap<Uuid, Vec<role::Model>>, DbErr> {
    let links = user_role::Entity::find()
        .filter(user_role::Column::UserId.is_in(users.iter().copied()))
        .all(db)
        .await?;
    let ids: Vec<Uuid> = links.iter().map(|l| l.role_id).collect();
    let roles = role::Entity::find().filter(role::Column::Id.is_in(ids)).all(db).await?;
    let by_id: HashMap<Uuid, role::Model> = roles.into_iter().map(|r| (r.id, r)).collect();
    let mut found: HashMap<Uuid, Vec<role::Model>> = HashMap::new();
    for link in links {
        found.entry(link.user_id).or_default().extend(by_id.get(&link.role_id).cloned());
    }
    Ok(found)
}

/// Roles by name.
pub(super) async fn roles_named(
    db: &impl ConnectionTrait,
    names: &[String],
) -> Result<Vec<role::Model>, DbErr> {
    role::Entity::find().filter(role::Column::Name.is_in(names)).all(db).await
}

/// Roles in order of name, after a name.
pub(super) async fn roles(
    db: &impl ConnectionTrait,
    after: Option<String>,
    limit: u64,
) -> Result<Vec<role::Model>, DbErr> {
    let mut query = role::Entity::find().order_by_asc(role::Column::Name).limit(limit);
    if let Some(after) = after {
        query = query.filter(role::Column::Name.gt(after));
    }
    query.all(db).await
}

/// Whether a user other than `except` is active and has the role `admin`.
pub(super) async fn another_admin(db: &impl ConnectionTrait, except: Uuid) -> Result<bool, DbErr> {
    let Some(admin) = role::Entity::find().filter(role::Column::Name.eq("admin")).one(db).await? else {
        return Ok(false);
    };
    let links = user_role::Entity::find()
        .filter(user_role::Column::RoleId.eq(admin.id))
        .filter(user_role::Column::UserId.ne(except))
        .all(db)
        .await?;
    let ids = links.into_iter().map(|l| l.user_id);
    let active = user::Entity::find()
        .filter(user::Column::Id.is_in(ids))
        .filter(user::Column::State.eq("active"))
        .count(db)
        .await?;
    Ok(active > 0)
}

/// A session by the hash of its token.
pub(super) async fn session_by_hash(
    db: &impl ConnectionTrait,
    hash: &str,
) -> Result<Option<session::Model>, DbErr> {
    session::Entity::find().filter(session::Column::TokenHash.eq(hash)).one(db).await
}

/// An API token by its hash.
pub(super) async fn token_by_hash(
    db: &impl ConnectionTrait,
    hash: &str,
) -> Result<Option<token::Model>, DbErr> {
    token::Entity::find().filter(token::Column::TokenHash.eq(hash)).one(db).await
}

/// API tokens of a user, or of everybody.
pub(super) async fn tokens(
    db: &impl ConnectionTrait,
    user: Option<Uuid>,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<token::Model>, DbErr> {
    let mut condition = Condition::all();
    if let Some(user) = user {
        condition = condition.add(token::Column::UserId.eq(user));
    }
    if let Some(after) = after {
        condition = condition.add(token::Column::Id.gt(after));
    }
    token::Entity::find().filter(condition).order_by_asc(token::Column::Id).limit(limit).all(db).await
}

/// End every session of a user, but the one to `keep`. How many there were.
pub(super) async fn end_sessions(
    db: &impl ConnectionTrait,
    user: Uuid,
    keep: Option<Uuid>,
) -> Result<u64, DbErr> {
    let mut ended = session::Entity::delete_many().filter(session::Column::UserId.eq(user));
    if let Some(keep) = keep {
        ended = ended.filter(session::Column::Id.ne(keep));
    }
    Ok(ended.exec(db).await?.rows_affected)
}

/// Sessions of a user, newest first.
pub(super) async fn sessions(db: &impl ConnectionTrait, user: Uuid) -> Result<Vec<session::Model>, DbErr> {
    session::Entity::find()
        .filter(session::Column::UserId.eq(user))
        .order_by_desc(session::Column::Id)
        .all(db)
        .await
}

/// What one actor made becomes another's.
pub(super) async fn reassign(db: &impl ConnectionTrait, from: &str, to: &str) -> Result<(), DbErr> {
    for table in ["invitations", "enrolment_tokens"] {
        let update = Query::update()
            .table(table)
            .value("created_by", to)
            .and_where(Expr::col("created_by").eq(from))
            .to_owned();
        db.execute(&update).await?;
    }
    Ok(())
}

/// Delete sessions and tokens that have ended.
pub(super) async fn delete_ended(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    idle_since: DateTime<Utc>,
) -> Result<u64, DbErr> {
    let ended = Condition::any()
        .add(session::Column::ExpiresAt.lte(now))
        .add(session::Column::LastUsedAt.lte(idle_since));
    let sessions = session::Entity::delete_many().filter(ended).exec(db).await?;
    let tokens = token::Entity::delete_many().filter(token::Column::ExpiresAt.lte(now)).exec(db).await?;
    let flows =
        login_flow::Entity::delete_many().filter(login_flow::Column::ExpiresAt.lte(now)).exec(db).await?;
    let links =
        invitation::Entity::delete_many().filter(invitation::Column::ExpiresAt.lte(now)).exec(db).await?;
    Ok([sessions, tokens, flows, links].iter().map(|d| d.rows_affected).sum())
}
