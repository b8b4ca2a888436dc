//! Judges SELECT, INSERT, UPDATE and DELETE by visiting every node of the parsed statement.

use std::{collections::HashSet, ops::ControlFlow};

use sqlparser::ast::{
    Delete, Expr, FromTable, ObjectName, Query, Select, SetExpr, Statement, TableFactor, TableObject,
    TableWithJoins, Update, Visit, Visitor,
};

use super::{Tables, expr, functions, names::single, scope::CteScope};
use crate::SqlError;

type Flow = ControlFlow<Box<SqlError>>;

pub(super) struct QueryVisitor<'a> {
    tables: &'a Tables,
    postgres: bool,
    ctes: CteScope,
    /// Addresses of names already judged as functions in FROM.
    judged: HashSet<usize>,
    /// Whether any statement inside changes rows.
    pub writes: bool,
}

/// Judge a statement. Returns whether it changes rows.
pub(super) fn check(statement: &Statement, tables: &Tables, postgres: bool) -> Result<bool, SqlError> {
    let mut visitor = QueryVisitor::new(tables, postgres);
    visitor.run(statement)?;
    Ok(visitor.writes)
}

impl<'a> QueryVisitor<'a> {
    pub(super) fn new(tables: &'a Tables, postgres: bool) -> Self {
        Self { tables, postgres, ctes: CteScope::default(), judged: HashSet::new(), writes: false }
    }

    pub(super) fn run(&mut self, node: &impl Visit) -> Result<(), SqlError> {
        match node.visit(self) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(error) => Err(*error),
        }
    }

    fn target(&mut self, name: &ObjectName) -> Result<(), SqlError> {
        let name = single(name)?;
        self.writes = true;
        if self.tables.owns(&name) {
            return Ok(());
        }
        if self.tables.views.contains(&name) {
            return Err(SqlError::refused(format!("`{name}` is a view for reading")));
        }
        Err(self.foreign(&name))
    }

    fn foreign(&self, name: &str) -> SqlError {
        SqlError::refused(format!(
            "`{name}` is neither a table of `{}` nor a view granted to it",
            self.tables.engine
        ))
    }

    fn relation(&mut self, name: &ObjectName) -> Result<(), SqlError> {
        if self.judged.contains(&(std::ptr::from_ref(name) as usize)) {
            return Ok(());
        }
        let name = single(name)?;
        if self.ctes.holds(&name) || self.tables.reads(&name) { Ok(()) } else { Err(self.foreign(&name)) }
    }

    fn statement(&mut self, statement: &Statement) -> Result<(), SqlError> {
        match statement {
            Statement::Query(_) => Ok(()),
            Statement::Insert(insert) => match &insert.table {
                TableObject::TableName(name) if insert.multi_table_insert_type.is_none() => self.target(name),
                _ => Err(SqlError::refused("INSERT names one table")),
            },
            Statement::Update(Update { table, .. }) => self.changed(table),
            Statement::Delete(Delete { tables, from, .. }) => {
                let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = from;
                match from.as_slice() {
                    [one] if tables.is_empty() => self.changed(one),
                    _ => Err(SqlError::refused("DELETE names one table")),
                }
            }
            other => {
                let text = other.to_string();
                let verb = text.split_whitespace().next().unwrap_or_default();
                Err(SqlError::refused(format!("{verb} is not among SELECT, INSERT, UPDATE and DELETE")))
            }
        }
    }

    fn changed(&mut self, table: &TableWithJoins) -> Result<(), SqlError> {
        match &table.relation {
            TableFactor::Table { name, .. } if table.joins.is_empty() => self.target(name),
            _ => Err(SqlError::refused("a change names one table")),
        }
    }

    fn factor(&mut self, factor: &TableFactor) -> Result<(), SqlError> {
        match factor {
            TableFactor::Table {
                args: None, version: None, json_path: None, with_hints, partitions, ..
            } if with_hints.is_empty() && partitions.is_empty() => Ok(()),
            TableFactor::Table { args: Some(_), name, .. } | TableFactor::Function { name, .. } => {
                let function = single(name)?;
                if !functions::is_table_function(&function) {
                    return Err(SqlError::refused(format!(
                        "the function `{function}` may not stand in FROM"
                    )));
                }
                self.judged.insert(std::ptr::from_ref(name) as usize);
                Ok(())
            }
            TableFactor::Derived { .. } | TableFactor::NestedJoin { .. } | TableFactor::UNNEST { .. } => {
                Ok(())
            }
            other => Err(SqlError::refused(format!("`{other}` may not stand in FROM"))),
        }
    }
}

fn select(select: &Select) -> Result<(), SqlError> {
    let foreign = select.into.is_some()
        || select.exclude.is_some()
        || select.top.is_some()
        || select.prewhere.is_some()
        || !select.lateral_views.is_empty()
        || !select.connect_by.is_empty()
        || !select.cluster_by.is_empty()
        || !select.distribute_by.is_empty()
        || !select.sort_by.is_empty()
        || select.value_table_mode.is_some();
    if foreign {
        Err(SqlError::refused("SELECT has a clause outside the list, such as INTO"))
    } else {
        Ok(())
    }
}

fn query(query: &Query) -> Result<(), SqlError> {
    let foreign = query.for_clause.is_some()
        || query.settings.is_some()
        || query.format_clause.is_some()
        || !query.pipe_operators.is_empty();
    if foreign {
        return Err(SqlError::refused("the query has a clause outside the list"));
    }
    if query.with.iter().flat_map(|w| &w.cte_tables).any(|c| c.from.is_some()) {
        return Err(SqlError::refused("WITH has a clause outside the list"));
    }
    body(&query.body)
}

fn body(expr: &SetExpr) -> Result<(), SqlError> {
    match expr {
        SetExpr::Select(_)
        | SetExpr::Query(_)
        | SetExpr::Values(_)
        | SetExpr::Insert(_)
        | SetExpr::Update(_)
        | SetExpr::Delete(_) => Ok(()),
        SetExpr::SetOperation { left, right, .. } => body(left).and_then(|()| body(right)),
        // Their table is text that is not visited, or they are not needed.
        SetExpr::Table(_) | SetExpr::Merge(_) => {
            Err(SqlError::refused("TABLE and MERGE are outside the list"))
        }
    }
}

fn flow(result: Result<(), SqlError>) -> Flow {
    match result {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(Box::new(error)),
    }
}

impl Visitor for QueryVisitor<'_> {
    type Break = Box<SqlError>;

    fn pre_visit_statement(&mut self, statement: &Statement) -> Flow {
        flow(self.statement(statement))
    }

    fn pre_visit_query(&mut self, q: &Query) -> Flow {
        self.ctes.enter(q);
        flow(query(q))
    }

    fn post_visit_query(&mut self, q: &Query) -> Flow {
        self.ctes.leave(q);
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, s: &Select) -> Flow {
        flow(select(s))
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> Flow {
        flow(self.factor(factor))
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> Flow {
        flow(self.relation(name))
    }

    fn pre_visit_expr(&mut self, e: &Expr) -> Flow {
        flow(expr::check(e, self.postgres))
    }
}
