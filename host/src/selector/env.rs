//! What a selector means depends on: the time, the database, and the saved searches it names.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};
use sea_orm::DbBackend;
use uuid::Uuid;

use super::{
    ast::{Node, Test, Value},
    fields::Field,
    glob::Glob,
};

/// Most terms after saved searches are put in their places: what databases take in one statement.
const MAX_NODES: usize = 600;

/// A saved search, as selectors need it.
#[derive(Debug, Clone)]
pub(crate) struct Saved {
    /// Whose it is; nobody's when an operator at the host's console made it.
    pub owner: Option<Uuid>,
    /// Whether everybody may use it.
    pub shared: bool,
    /// What it finds; absent when it does not parse any more.
    pub node: Option<Node>,
}

/// Saved searches by name.
pub(crate) type SavedSearches = HashMap<String, Saved>;

/// The surroundings in which selectors are compiled and evaluated. Take one per request: it holds the time.
#[derive(Debug, Clone)]
pub struct Env {
    pub(super) now: DateTime<Utc>,
    pub(super) backend: DbBackend,
    pub(super) searches: Arc<SavedSearches>,
    /// Conditions look up what belongs to the row at hand, instead of gathering all rows that match.
    pub(super) row_by_row: bool,
}

/// Why a selector cannot be used, although it parses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// A saved search is gone.
    #[error("there is no saved search `{0}`")]
    UnknownSearch(String),
    /// A saved search refers to itself.
    #[error("the saved search `{0}` refers to itself")]
    Cycle(String),
    /// Too much once saved searches are put in their places.
    #[error("the selector and its saved searches are too big together")]
    TooBig,
}

impl Env {
    /// For a question that looks at few rows: what else belongs to each is looked up, by its index, when the row is
    /// looked at. The answer is the same.
    pub fn row_by_row(&self) -> Self {
        Self { row_by_row: true, ..self.clone() }
    }

    /// The tree with saved searches put in their places.
    pub(crate) fn expand(&self, node: &Node) -> Result<Node, Unusable> {
        let mut left = MAX_NODES;
        self.expanded(node, &mut Vec::new(), &mut left)
    }

    /// Whether a selector, or a search that it names, asks whether machines have this tag.
    pub(crate) fn asks_for_tag(&self, selector: &super::Selector, tag: &str) -> bool {
        let Ok(node) = self.expand(selector.node()) else { return false };
        let mut asks = false;
        node.each_term(&mut |term| {
            if let (Field::Tag, Test::OneOf(values)) = (term.field, &term.test) {
                asks |= values.iter().any(|v| matches!(v, Value::Text(t) if Glob::new(t).matches(tag)));
            }
        });
        asks
    }

    /// The same for the tree of the saved search `name`.
    pub(super) fn within(&self, name: &str, node: &Node) -> Result<Node, Unusable> {
        self.expanded(node, &mut vec![name.to_owned()], &mut MAX_NODES.clone())
    }

    fn expanded(&self, node: &Node, within: &mut Vec<String>, left: &mut usize) -> Result<Node, Unusable> {
        *left = left.checked_sub(1).ok_or(Unusable::TooBig)?;
        let mut each = |nodes: &[Node], within: &mut Vec<String>| {
            nodes.iter().map(|n| self.expanded(n, within, left)).collect::<Result<Vec<_>, _>>()
        };
        Ok(match node {
            Node::All => Node::All,
            Node::Not(inner) => Node::Not(Box::new(self.expanded(inner, within, left)?)),
            Node::And(nodes) => Node::and(each(nodes, within)?),
            Node::Or(nodes) => Node::or(each(nodes, within)?),
            Node::Term(term) if term.field == Field::Search => {
                let Test::OneOf(values) = &term.test else { return Ok(node.clone()) };
                let names = values.iter().filter_map(|v| match v {
                    Value::Text(name) => Some(name),
                    _ => None,
                });
                let nodes: Result<Vec<_>, _> = names.map(|n| self.saved(n, within, left)).collect();
                Node::or(nodes?)
            }
            Node::Term(term) => {
                if let Test::OneOf(values) = &term.test {
                    *left = left.checked_sub(values.len()).ok_or(Unusable::TooBig)?;
                }
                node.clone()
            }
        })
    }

    fn saved(&self, name: &str, within: &mut Vec<String>, left: &mut usize) -> Result<Node, Unusable> {
        if within.iter().any(|n| n == name) {
            return Err(Unusable::Cycle(name.into()));
        }
        let node = self.searches.get(name).and_then(|s| s.node.as_ref());
        let node = node.ok_or_else(|| Unusable::UnknownSearch(name.into()))?;
        within.push(name.into());
        let expanded = self.expanded(node, within, left)?;
        within.pop();
        Ok(expanded)
    }
}
