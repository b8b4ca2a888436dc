//! The selector language: which machines. `os:debian tag:web not name:db-* (state:approved or online:yes)`.
//!
//! Terms side by side must all hold; `or` binds weaker; `not` binds strongest; parentheses group. The same text is a
//! list's filter, a role's scope and an operation's target.

mod compile;
mod parse;

use std::sync::Arc;

pub use parse::{Field, Problem as SyntaxProblem};

use http::StatusCode;
use sea_orm::Condition;
use serde_json::{Map, Value};

use crate::{ctx::Scope, problem::SliceError};

/// A parsed selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector(Arc<Node>);

/// The tree of a selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// Every machine.
    All,
    /// A field matches a value.
    Term(Field, String),
    /// The inner does not hold.
    Not(Box<Node>),
    /// Both hold.
    And(Vec<Node>),
    /// One holds.
    Or(Vec<Node>),
}

/// A selector that does not parse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at character {at} of `{text}`")]
pub struct SelectorError {
    /// What is wrong.
    pub problem: SyntaxProblem,
    /// Where, counted in characters from 1.
    pub at: usize,
    /// The selector.
    pub text: String,
}

impl SliceError for SelectorError {
    fn status(&self) -> StatusCode {
        StatusCode::UNPROCESSABLE_ENTITY
    }
    fn code(&self) -> &'static str {
        "bad_selector"
    }
    fn extras(&self) -> Map<String, Value> {
        Map::from_iter([("at".into(), self.at.into())])
    }
}

impl std::str::FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        parse::parse(text).map(|node| Self(Arc::new(node)))
    }
}

impl Selector {
    /// The tree.
    pub fn node(&self) -> &Node {
        &self.0
    }

    /// A condition for a query whose table is `machines`.
    pub fn condition(&self) -> Condition {
        compile::condition(&self.0)
    }
}

impl Scope {
    /// A condition for a query whose table is `machines`. A scope that does not parse reaches nothing.
    pub fn condition(&self) -> Condition {
        match self {
            Self::All => Condition::all(),
            Self::Selector(text) => match text.parse::<Selector>() {
                Ok(selector) => selector.condition(),
                Err(error) => {
                    tracing::warn!(%error, "a role's scope does not parse; it reaches no machine");
                    compile::nothing()
                }
            },
        }
    }
}
