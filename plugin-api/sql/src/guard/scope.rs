//! Which names of common table expressions are visible where.
//!
//! A `WITH` name hides a table only inside its query and, unless the clause is recursive, only for what
//! follows it. Anything looser would let `WITH a AS (SELECT * FROM users), users AS (...)` read a foreign table.

use sqlparser::ast::Query;

use super::names::folded;

#[derive(Default)]
struct Frame {
    query: usize,
    names: Vec<String>,
    bodies: Vec<usize>,
    visible: usize,
    recursive: bool,
}

/// The open queries around the point that is visited.
#[derive(Default)]
pub(super) struct CteScope {
    frames: Vec<Frame>,
}

fn address(query: &Query) -> usize {
    std::ptr::from_ref(query) as usize
}

impl CteScope {
    /// Enter a query, which may itself be the body of a common table expression of the query around it.
    pub fn enter(&mut self, query: &Query) {
        if let Some((frame, _)) = self.parent(query) {
            frame.visible = if frame.recursive { frame.names.len() } else { frame.visible };
        }
        let mut frame = Frame { query: address(query), ..Frame::default() };
        if let Some(with) = &query.with {
            frame.recursive = with.recursive;
            frame.names = with.cte_tables.iter().map(|c| folded(&c.alias.name)).collect();
            frame.bodies = with.cte_tables.iter().map(|c| address(&c.query)).collect();
        }
        self.frames.push(frame);
    }

    /// Leave a query; after the body of a common table expression its name is visible.
    pub fn leave(&mut self, query: &Query) {
        debug_assert_eq!(self.frames.last().map(|f| f.query), Some(address(query)));
        self.frames.pop();
        if let Some((frame, index)) = self.parent(query) {
            frame.visible = frame.visible.max(index + 1);
        }
    }

    /// Whether a name means a common table expression here.
    pub fn holds(&self, name: &str) -> bool {
        self.frames.iter().any(|f| f.names[..f.visible].iter().any(|n| n == name))
    }

    fn parent(&mut self, query: &Query) -> Option<(&mut Frame, usize)> {
        let frame = self.frames.last_mut()?;
        let index = frame.bodies.iter().position(|&b| b == address(query))?;
        Some((frame, index))
    }
}
