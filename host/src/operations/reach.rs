//! Which operations and tasks an actor may see: a task when its machine lies within the actor's scope, an operation
//! when one of its tasks does.

use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait, Query, SelectStatement},
};

use super::entity::{operation, task};
use crate::{ctx::Scope, selector::Env};

/// The machines whose tasks are seen; all when absent.
#[derive(Debug, Clone)]
pub(crate) struct Reach(Option<SelectStatement>);

impl Reach {
    /// What a scope reaches.
    pub fn of(scope: &Scope, env: &Env) -> Self {
        Self(match scope {
            Scope::All => None,
            scope => Some(
                Query::select()
                    .column(("machines", "id"))
                    .from("machines")
                    .cond_where(scope.condition(env))
                    .to_owned(),
            ),
        })
    }

    /// Whether everything is seen.
    pub fn is_all(&self) -> bool {
        self.0.is_none()
    }

    /// For a query of tasks.
    pub fn tasks(&self) -> Condition {
        match &self.0 {
            None => Condition::all(),
            Some(machines) => Condition::all().add(task::Column::MachineId.in_subquery(machines.clone())),
        }
    }

    /// For a query of operations.
    pub fn operations(&self) -> Condition {
        if self.is_all() {
            return Condition::all();
        }
        let own = Expr::col((task::Entity, task::Column::OperationId))
            .equals((operation::Entity, operation::Column::Id));
        let seen = task::Entity::find()
            .select_only()
            .column(task::Column::Id)
            .filter(own)
            .filter(self.tasks())
            .into_query();
        Condition::all().add(Expr::exists(seen))
    }
}
