//! The selector language: which machines. `os:debian tag:web -name:db-* (state:approved or online:yes)`.
//!
//! Terms side by side must all hold; `or` binds weaker; `not` and `-` bind strongest; parentheses group. The same text
//! is a list's filter, a saved search, a role's scope, a rule of tags and an operation's target. The reference for
//! people is `docs/selector.md`.
//!
//! A selector is compiled to a condition on table `machines` ([`Selector::condition`]) or evaluated over the facts of
//! one machine ([`Selector::matches`]). Both need an [`Env`], which `core.selectors.env()` gives.

mod ast;
mod compile;
mod complete;
mod env;
mod evaluate;
mod fields;
mod format;
mod glob;
mod inventory;
mod lex;
pub(crate) mod net;
mod parse;
mod problem;
pub mod routes;
mod service;
mod term;
mod value;
pub mod version;

use std::sync::Arc;

use sea_orm::Condition;

use crate::ctx::Scope;

pub use ast::{Node, Op, Term, Test, Value};
pub use env::{Env, Unusable};
pub(crate) use env::{Saved, SavedSearches};
pub use evaluate::{Item, MachineFacts};
pub use fields::{FIELDS, Field, Kind, Spec};
pub use inventory::{Asks, figure_columns};
pub use net::Net;
pub use problem::{Problem as SyntaxProblem, SelectorError};
pub use service::Selectors;
pub use value::is_search_name;

/// A parsed selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector(Arc<Node>);

/// Reads the text. Whether the saved searches that it names exist is not looked at: see [`Selectors::parse`].
impl std::str::FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        parse::parse(text, &|_| None).map(Self::from)
    }
}

impl From<Node> for Selector {
    fn from(node: Node) -> Self {
        Self(Arc::new(node))
    }
}

/// The one way to write it.
impl std::fmt::Display for Selector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Selector {
    /// The tree.
    pub fn node(&self) -> &Node {
        &self.0
    }

    /// A condition for a query whose table is `machines`. What cannot be used, because a saved search is gone, selects
    /// nothing.
    pub fn condition(&self, env: &Env) -> Condition {
        match env.expand(&self.0) {
            Ok(node) => compile::condition(&node, env),
            Err(error) => {
                tracing::warn!(%error, selector = %self, "a selector cannot be used; it selects no machine");
                compile::nothing()
            }
        }
    }

    /// What else than machines' own rows it looks at, saved searches included.
    pub fn asks(&self, env: &Env) -> Asks {
        let mut asks = Asks::default();
        if let Ok(node) = env.expand(&self.0) {
            node.each_term(&mut |term| asks.field(term.field));
        }
        asks
    }

    /// Whether it selects the machine with these facts, which hold what it [`asks`](Self::asks) for.
    pub fn matches(&self, facts: &MachineFacts, env: &Env) -> bool {
        env.expand(&self.0).is_ok_and(|node| evaluate::holds(&node, facts, env))
    }
}

impl Scope {
    /// A condition for a query whose table is `machines`. A scope that does not parse reaches nothing.
    pub fn condition(&self, env: &Env) -> Condition {
        match self {
            Self::All => Condition::all(),
            Self::Selector(text) => match text.parse::<Selector>() {
                Ok(selector) => selector.condition(env),
                Err(error) => {
                    tracing::warn!(%error, "a role's scope does not parse; it reaches no machine");
                    compile::nothing()
                }
            },
        }
    }
}
