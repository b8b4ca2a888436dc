//! Queries of people and organisations.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use uuid::Uuid;

use super::entity::{invitation, member, organisation, session, token, user};
use crate::ctx::{Membership, Role};

pub(super) async fn user(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<user::Model>, DbErr> {
    user::Entity::find_by_id(id).one(db).await
}

pub(super) async fn user_by_email(
    db: &impl ConnectionTrait,
    email: &str,
) -> Result<Option<user::Model>, DbErr> {
    user::Entity::find().filter(user::Column::Email.eq(email)).one(db).await
}

pub(super) async fn insert_user(db: &impl ConnectionTrait, row: user::Model) -> Result<(), DbErr> {
    user::Entity::insert(user::ActiveModel::from(row).reset_all()).exec(db).await.map(drop)
}

/// One more wrong password, counted by the database.
pub(super) async fn count_failure(db: &impl ConnectionTrait, id: Uuid) -> Result<i32, DbErr> {
    use user::Column as C;
    user::Entity::update_many()
        .col_expr(C::FailedLogins, Expr::col(C::FailedLogins).add(1))
        .filter(C::Id.eq(id))
        .exec(db)
        .await?;
    Ok(user(db, id).await?.map_or(0, |user| user.failed_logins))
}

pub(super) async fn set_lock(
    db: &impl ConnectionTrait,
    id: Uuid,
    until: Option<DateTime<Utc>>,
) -> Result<(), DbErr> {
    let mut row = user::ActiveModel { id: Set(id), locked_until: Set(until), ..Default::default() };
    if until.is_none() {
        row.failed_logins = Set(0);
    }
    row.update(db).await.map(drop)
}

pub(super) async fn set_staff(db: &impl ConnectionTrait, id: Uuid, staff: bool) -> Result<(), DbErr> {
    let row = user::ActiveModel { id: Set(id), staff: Set(staff), ..Default::default() };
    row.update(db).await.map(drop)
}

/// End a user's sessions but one.
pub(super) async fn end_sessions(
    db: &impl ConnectionTrait,
    user: Uuid,
    keep: Option<Uuid>,
) -> Result<(), DbErr> {
    let mut query = session::Entity::delete_many().filter(session::Column::UserId.eq(user));
    if let Some(keep) = keep {
        query = query.filter(session::Column::Id.ne(keep));
    }
    query.exec(db).await.map(drop)
}

pub(super) async fn insert_session(db: &impl ConnectionTrait, row: session::Model) -> Result<(), DbErr> {
    session::Entity::insert(session::ActiveModel::from(row).reset_all()).exec(db).await.map(drop)
}

pub(super) async fn session_by_hash(
    db: &impl ConnectionTrait,
    hash: &str,
) -> Result<Option<session::Model>, DbErr> {
    session::Entity::find().filter(session::Column::TokenHash.eq(hash)).one(db).await
}

pub(super) async fn delete_session(db: &impl ConnectionTrait, id: Uuid) -> Result<(), DbErr> {
    session::Entity::delete_by_id(id).exec(db).await.map(drop)
}

pub(super) async fn memberships(db: &impl ConnectionTrait, user: Uuid) -> Result<Vec<Membership>, DbErr> {
    let rows = member::Entity::find().filter(member::Column::UserId.eq(user)).all(db).await?;
    let known = rows.into_iter().filter_map(|row| {
        Some(Membership { organisation: row.organisation_id, role: Role::named(&row.role)? })
    });
    Ok(known.collect())
}

/// An organisation. Inside a transaction on PostgreSQL its row stays locked until the end, so that what is decided about
/// its members still holds when it is written.
pub(super) async fn locked_organisation(
    db: &impl ConnectionTrait,
    id: Uuid,
) -> Result<Option<organisation::Model>, DbErr> {
    organisation::Entity::find_by_id(id).lock_exclusive().one(db).await
}

pub(super) async fn organisations(
    db: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<Vec<organisation::Model>, DbErr> {
    organisation::Entity::find()
        .filter(organisation::Column::Id.is_in(ids))
        .order_by_asc(organisation::Column::Name)
        .order_by_asc(organisation::Column::Id)
        .all(db)
        .await
}

pub(super) async fn all_organisations(
    db: &impl ConnectionTrait,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<organisation::Model>, DbErr> {
    let mut query = organisation::Entity::find().order_by_asc(organisation::Column::Id).limit(limit);
    if let Some(after) = after {
        query = query.filter(organisation::Column::Id.gt(after));
    }
    query.all(db).await
}

pub(super) async fn insert_organisation(
    db: &impl ConnectionTrait,
    row: organisation::Model,
) -> Result<(), DbErr> {
    organisation::Entity::insert(organisation::ActiveModel::from(row).reset_all()).exec(db).await.map(drop)
}

pub(super) async fn rename_organisation(
    db: &impl ConnectionTrait,
    id: Uuid,
    name: String,
) -> Result<organisation::Model, DbErr> {
    organisation::ActiveModel { id: Set(id), name: Set(name), ..Default::default() }.update(db).await
}

/// Members with the people they are, by name.
pub(super) async fn members(
    db: &impl ConnectionTrait,
    organisation: Uuid,
) -> Result<Vec<(member::Model, user::Model)>, DbErr> {
    let members =
        member::Entity::find().filter(member::Column::OrganisationId.eq(organisation)).all(db).await?;
    let ids = members.iter().map(|m| m.user_id);
    let mut users = user::Entity::find().filter(user::Column::Id.is_in(ids)).all(db).await?;
    users.sort_by(|a, b| a.name.cmp(&b.name).then(a.id.cmp(&b.id)));
    let member_of = |user: &user::Model| members.iter().find(|m| m.user_id == user.id).cloned();
    Ok(users.into_iter().filter_map(|user| Some((member_of(&user)?, user))).collect())
}

pub(super) async fn member(
    db: &impl ConnectionTrait,
    organisation: Uuid,
    user: Uuid,
) -> Result<Option<member::Model>, DbErr> {
    member::Entity::find_by_id((organisation, user)).one(db).await
}

pub(super) async fn owners(db: &impl ConnectionTrait, organisation: Uuid) -> Result<u64, DbErr> {
    member::Entity::find()
        .filter(member::Column::OrganisationId.eq(organisation))
        .filter(member::Column::Role.eq(Role::Owner.name()))
        .count(db)
        .await
}

pub(super) async fn insert_member(
    db: &impl ConnectionTrait,
    organisation: Uuid,
    user: Uuid,
    role: Role,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let row = member::ActiveModel {
        organisation_id: Set(organisation),
        user_id: Set(user),
        role: Set(role.name().into()),
        created_at: Set(now),
    };
    member::Entity::insert(row).exec(db).await.map(drop)
}

pub(super) async fn set_role(
    db: &impl ConnectionTrait,
    organisation: Uuid,
    user: Uuid,
    role: Role,
) -> Result<(), DbErr> {
    let row = member::ActiveModel {
        organisation_id: Set(organisation),
        user_id: Set(user),
        role: Set(role.name().into()),
        ..Default::default()
    };
    row.update(db).await.map(drop)
}

/// A member goes, with their tokens for this organisation.
pub(super) async fn delete_member(
    db: &impl ConnectionTrait,
    organisation: Uuid,
    user: Uuid,
) -> Result<(), DbErr> {
    let own = Condition::all()
        .add(token::Column::OrganisationId.eq(organisation))
        .add(token::Column::UserId.eq(user));
    token::Entity::delete_many().filter(own).exec(db).await?;
    member::Entity::delete_by_id((organisation, user)).exec(db).await.map(drop)
}

pub(super) async fn insert_invitation(
    db: &impl ConnectionTrait,
    row: invitation::Model,
) -> Result<(), DbErr> {
    invitation::Entity::insert(invitation::ActiveModel::from(row).reset_all()).exec(db).await.map(drop)
}

pub(super) async fn invitations(
    db: &impl ConnectionTrait,
    organisation: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<invitation::Model>, DbErr> {
    invitation::Entity::find()
        .filter(invitation::Column::OrganisationId.eq(organisation))
        .filter(invitation::Column::ExpiresAt.gt(now))
        .order_by_desc(invitation::Column::Id)
        .all(db)
        .await
}

pub(super) async fn invitation_by_hash(
    db: &impl ConnectionTrait,
    hash: &str,
    now: DateTime<Utc>,
) -> Result<Option<invitation::Model>, DbErr> {
    invitation::Entity::find()
        .filter(invitation::Column::TokenHash.eq(hash))
        .filter(invitation::Column::ExpiresAt.gt(now))
        .one(db)
        .await
}

/// Delete an invitation; `false` when somebody else did.
pub(super) async fn delete_invitation(
    db: &impl ConnectionTrait,
    organisation: Uuid,
    id: Uuid,
) -> Result<bool, DbErr> {
    let own = Condition::all()
        .add(invitation::Column::Id.eq(id))
        .add(invitation::Column::OrganisationId.eq(organisation));
    Ok(invitation::Entity::delete_many().filter(own).exec(db).await?.rows_affected == 1)
}

pub(super) async fn insert_token(db: &impl ConnectionTrait, row: token::Model) -> Result<(), DbErr> {
    token::Entity::insert(token::ActiveModel::from(row).reset_all()).exec(db).await.map(drop)
}

pub(super) async fn token_by_hash(
    db: &impl ConnectionTrait,
    hash: &str,
) -> Result<Option<token::Model>, DbErr> {
    token::Entity::find().filter(token::Column::TokenHash.eq(hash)).one(db).await
}

/// Tokens for an organisation: of one person, or of all.
pub(super) async fn tokens(
    db: &impl ConnectionTrait,
    organisation: Uuid,
    user: Option<Uuid>,
) -> Result<Vec<token::Model>, DbErr> {
    let mut query = token::Entity::find().filter(token::Column::OrganisationId.eq(organisation));
    if let Some(user) = user {
        query = query.filter(token::Column::UserId.eq(user));
    }
    query.order_by_desc(token::Column::Id).all(db).await
}

pub(super) async fn delete_token(db: &impl ConnectionTrait, id: Uuid) -> Result<(), DbErr> {
    token::Entity::delete_by_id(id).exec(db).await.map(drop)
}

/// Delete sessions, tokens and invitations that have ended.
pub(super) async fn delete_ended(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<(), DbErr> {
    session::Entity::delete_many().filter(session::Column::ExpiresAt.lte(now)).exec(db).await?;
    token::Entity::delete_many().filter(token::Column::ExpiresAt.lte(now)).exec(db).await?;
    invitation::Entity::delete_many().filter(invitation::Column::ExpiresAt.lte(now)).exec(db).await?;
    Ok(())
}
