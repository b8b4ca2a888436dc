//! Selectors in their surroundings: the time, the database and the saved searches of this host.

use std::{
    collections::BTreeSet,
    sync::{Arc, RwLock},
};

use sea_orm::{
    ConnectionTrait, DbErr,
    sea_query::{Expr, ExprTrait, Query},
};

use super::{
    Env, Saved, SavedSearches, Selector, SelectorError, SyntaxProblem, Unusable,
    complete::{self, Completion},
    parse,
};
use crate::{
    clock::SharedClock,
    ctx::{Actor, Ctx, Forbidden},
    db::Db,
    problem::Problem,
};

/// The service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Selectors {
    db: Db,
    clock: SharedClock,
    searches: Arc<RwLock<Arc<SavedSearches>>>,
}

/// What is to say of a selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The one way to write it.
    pub canonical: String,
    /// Machines within the actor's reach that it selects.
    pub machines: u64,
}

impl Selectors {
    /// The service, which knows no saved search yet.
    pub fn new(db: Db, clock: SharedClock) -> Self {
        Self { db, clock, searches: Arc::default() }
    }

    /// The surroundings as they are now. Take them once per request.
    pub fn env(&self) -> Env {
        Env {
            now: self.clock.now(),
            backend: self.db.backend(),
            searches: self.searches(),
            row_by_row: false,
        }
    }

    fn searches(&self) -> Arc<SavedSearches> {
        self.searches.read().unwrap_or_else(|e| e.into_inner()).clone()
    }

    /// Saved searches changed.
    pub(crate) fn know(&self, searches: SavedSearches) {
        *self.searches.write().unwrap_or_else(|e| e.into_inner()) = Arc::new(searches);
    }

    /// Read a selector that the actor wrote: saved searches that it names must exist, be theirs or shared, and not lead
    /// back to themselves.
    pub fn parse(&self, ctx: &Ctx, text: &str) -> Result<Selector, SelectorError> {
        self.read(text, |saved| saved.shared || may_use(ctx, saved.owner))
    }

    fn read(&self, text: &str, usable: impl Fn(&Saved) -> bool) -> Result<Selector, SelectorError> {
        let searches = self.searches();
        let env = self.env();
        let check = |name: &str| {
            let Some(saved) = searches.get(name).filter(|s| usable(s)) else {
                return Some(SyntaxProblem::UnknownSearch(name.into()));
            };
            let unusable = saved.node.as_ref().map(|node| env.expand(node));
            match unusable? {
                Err(Unusable::Cycle(name)) => Some(SyntaxProblem::SearchCycle(name)),
                Err(Unusable::UnknownSearch(name)) => Some(SyntaxProblem::UnknownSearch(name)),
                Err(Unusable::TooBig) => Some(SyntaxProblem::TooBig("big")),
                Ok(_) => None,
            }
        };
        let node = parse::parse(text, &check)?;
        if env.expand(&node) == Err(Unusable::TooBig) {
            let problem = SyntaxProblem::TooBig("big");
            return Err(SelectorError { problem, at: 1, length: 0, suggestion: None, text: text.into() });
        }
        Ok(node.into())
    }

    /// Read a selector that holds for many people, such as a role's scope or a tag's rule: it may name shared searches
    /// only.
    pub fn parse_for_all(&self, text: &str) -> Result<Selector, SelectorError> {
        self.read(text, |saved| saved.shared)
    }

    /// Whether a saved search can be what `node` says, beside the others.
    pub(crate) fn fits(&self, name: &str, saved: Saved) -> Result<(), Unusable> {
        let Some(node) = saved.node.clone() else { return Ok(()) };
        let mut searches = SavedSearches::clone(&self.searches());
        searches.insert(name.into(), saved);
        let env = Env { searches: Arc::new(searches), ..self.env() };
        env.within(name, &node).map(drop)
    }

    /// Names of saved searches that lead to `name`, itself among them.
    pub(crate) fn leading_to(&self, name: &str) -> BTreeSet<String> {
        let searches = self.searches();
        let mut found = BTreeSet::from([name.to_owned()]);
        loop {
            let refers = |s: &Saved| {
                s.node.as_ref().is_some_and(|n| n.searches().iter().any(|name| found.contains(*name)))
            };
            let more: Vec<String> = searches
                .iter()
                .filter(|(name, saved)| !found.contains(*name) && refers(saved))
                .map(|(name, _)| name.clone())
                .collect();
            if more.is_empty() {
                return found;
            }
            found.extend(more);
        }
    }

    /// The one way to write a selector, and how many machines it selects.
    pub async fn check(&self, ctx: &Ctx, text: &str) -> Result<Checked, Problem> {
        let scope = ctx.require_scope("machines:read")?;
        let selector = self.parse(ctx, text)?;
        let env = self.env();
        let query = Query::select()
            .expr_as(Expr::col(("machines", "id")).count(), "n")
            .from("machines")
            .cond_where(scope.condition(&env))
            .cond_where(selector.condition(&env))
            .to_owned();
        let row = self.db.read().query_one(&query).await?;
        let machines = row.map(|row| row.try_get::<i64>("", "n")).transpose()?.unwrap_or(0);
        Ok(Checked { canonical: selector.to_string(), machines: machines.try_into().unwrap_or(0) })
    }

    /// What could be written at `cursor`, counted in characters from 0.
    pub async fn complete(&self, ctx: &Ctx, text: &str, cursor: usize) -> Result<Completion, CompleteError> {
        let scope = ctx.require_scope("machines:read")?;
        let searches = self.searches();
        let mut names: Vec<String> = searches
            .iter()
            .filter(|(_, s)| s.shared || may_use(ctx, s.owner))
            .map(|(name, _)| name.clone())
            .collect();
        names.sort();
        let env = self.env();
        Ok(complete::complete(self.db.read(), &env, &scope, &names, text, cursor).await?)
    }
}

/// Why nothing is suggested.
#[derive(Debug, thiserror::Error)]
pub enum CompleteError {
    /// The actor may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl From<CompleteError> for Problem {
    fn from(error: CompleteError) -> Self {
        match error {
            CompleteError::Forbidden(e) => e.into(),
            CompleteError::Database(e) => e.into(),
        }
    }
}

/// Whether the actor may use a private search: its owner may, and the host itself.
pub(crate) fn may_use(ctx: &Ctx, owner: Option<uuid::Uuid>) -> bool {
    match ctx.actor.user_id() {
        Some(user) => owner == Some(user),
        None => !matches!(ctx.actor, Actor::Machine(_)),
    }
}
