//! Which machines an operation reaches: approved ones within the actor's scope.

use std::collections::HashSet;

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};
use uuid::Uuid;

use super::{entity::machine, model::MachineState};
use crate::{
    ctx::{Ctx, Scope},
    selector::{Env, SelectorError, Selectors},
};

/// Why targets cannot be found.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The selector does not parse.
    #[error(transparent)]
    Selector(#[from] SelectorError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbErr),
}

fn approved(scope: &Scope, env: &Env) -> Select<machine::Entity> {
    machine::Entity::find()
        .filter(machine::Column::State.eq(MachineState::Approved.name()))
        .filter(scope.condition(env))
        .order_by_asc(machine::Column::Id)
}

async fn names(
    db: &impl ConnectionTrait,
    query: Select<machine::Entity>,
) -> Result<Vec<(Uuid, String)>, DbErr> {
    query.select_only().column(machine::Column::Id).column(machine::Column::Name).into_tuple().all(db).await
}

/// Those of `ids` that are approved and within `scope`, with their names.
pub(crate) async fn by_ids(
    db: &impl ConnectionTrait,
    ids: &HashSet<Uuid>,
    scope: &Scope,
    env: &Env,
) -> Result<Vec<(Uuid, String)>, DbErr> {
    let ids: Vec<Uuid> = ids.iter().copied().collect();
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(400) {
        found.extend(
            names(db, approved(scope, env).filter(machine::Column::Id.is_in(ids.iter().copied()))).await?,
        );
    }
    found.sort();
    Ok(found)
}

/// Those that `selector` matches within `scope`, with their names.
pub(crate) async fn by_selector(
    db: &impl ConnectionTrait,
    selectors: &Selectors,
    ctx: &Ctx,
    selector: &str,
    scope: &Scope,
) -> Result<Vec<(Uuid, String)>, TargetError> {
    let selector = selectors.parse(ctx, selector)?;
    let env = selectors.env();
    Ok(names(db, approved(scope, &env).filter(selector.condition(&env))).await?)
}

/// Approved machines that `selector` matches within `scope`, whose agent is for one of `targets` and not of `version`.
/// Those that are connected come first.
pub(crate) async fn to_update(
    db: &impl ConnectionTrait,
    selectors: &Selectors,
    ctx: &Ctx,
    (selector, scope): (&str, &Scope),
    (version, targets): (&str, &[String]),
) -> Result<Vec<Uuid>, TargetError> {
    let selector = selectors.parse(ctx, selector)?;
    let env = selectors.env();
    let query = machine::Entity::find()
        .filter(machine::Column::State.eq(MachineState::Approved.name()))
        .filter(scope.condition(&env))
        .filter(selector.condition(&env))
        .filter(machine::Column::Target.is_in(targets.iter().map(String::as_str)))
        .filter(machine::Column::AgentVersion.ne(version))
        .order_by_desc(machine::Column::Online)
        .order_by_asc(machine::Column::Id);
    Ok(query.select_only().column(machine::Column::Id).into_tuple().all(db).await?)
}
