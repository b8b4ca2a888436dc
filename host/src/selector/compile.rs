//! Selectors as conditions on table `machines`.

use sea_orm::{
    Condition,
    sea_query::{Expr, ExprTrait, Func, LikeExpr, Query},
};

use super::{Field, Node};

pub(super) fn condition(node: &Node) -> Condition {
    match node {
        Node::All => Condition::all(),
        Node::Term(field, value) => term(*field, value),
        // An empty condition negated is empty again in sea-query, not its opposite.
        Node::Not(inner) if **inner == Node::All => nothing(),
        Node::Not(inner) => condition(inner).not(),
        Node::And(nodes) => nodes.iter().fold(Condition::all(), |all, n| all.add(condition(n))),
        Node::Or(nodes) if nodes.contains(&Node::All) => Condition::all(),
        Node::Or(nodes) => nodes.iter().fold(Condition::any(), |any, n| any.add(condition(n))),
    }
}

/// A condition that never holds.
pub(super) fn nothing() -> Condition {
    Condition::all().add(Expr::val(1).eq(0))
}

fn term(field: Field, value: &str) -> Condition {
    let column = |name: &'static str| Expr::col(("machines", name));
    match field {
        Field::Id => match value.parse::<uuid::Uuid>() {
            Ok(id) => Condition::all().add(column("id").eq(id)),
            Err(_) => nothing(),
        },
        Field::Name => Condition::all().add(like("machines", "name", value)),
        Field::State => Condition::all().add(column("state").eq(value.to_lowercase())),
        Field::Online => Condition::all().add(column("online").eq(value == "yes")),
        Field::Os => ["os_family", "os_id", "os_name"]
            .into_iter()
            .fold(Condition::any(), |any, name| any.add(like("machines", name, value))),
        Field::Tag => {
            let tagged = Query::select()
                .column("machine_id")
                .from("machine_tags")
                .and_where(like("machine_tags", "tag", value))
                .to_owned();
            Condition::all().add(column("id").in_subquery(tagged))
        }
    }
}

/// Case-insensitive match of a glob with `*` and `?`.
fn like(table: &'static str, column: &'static str, glob: &str) -> Expr {
    let lower = Expr::expr(Func::lower(Expr::col((table, column))));
    let glob = glob.to_lowercase();
    if !glob.contains(['*', '?']) {
        return lower.eq(glob);
    }
    let mut pattern = String::with_capacity(glob.len() + 8);
    for c in glob.chars() {
        match c {
            '*' => pattern.push('%'),
            '?' => pattern.push('_'),
            '%' | '_' | '\\' => pattern.extend(['\\', c]),
            c => pattern.push(c),
        }
    }
    lower.like(LikeExpr::new(pattern).escape('\\'))
}
