//! Selectors as conditions on table `machines`. A machine without a value passes no test of it, in SQL as in
//! [`super::evaluate`]: no condition is ever NULL, so that `not` means the opposite on every database.

use sea_orm::{
    Condition, DbBackend,
    sea_query::{Expr, ExprTrait, Func, LikeExpr, Query, Value as SqlValue},
};

use super::{
    ast::{Node, Op, Term, Test, Value},
    env::Env,
    fields::Field,
    glob::Glob,
    inventory, version,
};

pub(super) fn condition(node: &Node, env: &Env) -> Condition {
    match node {
        Node::All => Condition::all(),
        Node::Term(term) => self::term(term, env),
        // An empty condition negated is empty again in sea-query, not its opposite.
        Node::Not(inner) if **inner == Node::All => nothing(),
        Node::Not(inner) => condition(inner, env).not(),
        Node::And(nodes) => nodes.iter().fold(Condition::all(), |all, n| all.add(condition(n, env))),
        Node::Or(nodes) if nodes.contains(&Node::All) => Condition::all(),
        Node::Or(nodes) => nodes.iter().fold(Condition::any(), |any, n| any.add(condition(n, env))),
    }
}

/// A condition that never holds.
pub(super) fn nothing() -> Condition {
    Condition::all().add(Expr::val(1).eq(0))
}

fn term(term: &Term, env: &Env) -> Condition {
    let text = |column| text_test("machines", column, &term.test, env);
    match term.field {
        Field::Name => text("name"),
        Field::Hostname => text("hostname"),
        Field::Os => any(["os_family", "os_id", "os_name"].map(text)),
        Field::Kernel => text("kernel"),
        Field::Arch => text("arch"),
        Field::Notes => text("notes"),
        Field::OsVersion => version_test("os_version", "os_version_key", &term.test, env),
        Field::AgentVersion => version_test("agent_version", "agent_version_key", &term.test, env),
        Field::Tag => within("machine_tags", text_test("machine_tags", "tag", &term.test, env), env),
        Field::Has => {
            within("inventory_sections", text_test("inventory_sections", "name", &term.test, env), env)
        }
        Field::Address => within("machine_addresses", address_test(&term.test, env), env),
        Field::Id => values(column("id"), &term.test, env),
        Field::State => values(column("state"), &term.test, env),
        Field::Online => values(column("online"), &term.test, env),
        Field::Cpus => values(column("cpus"), &term.test, env),
        Field::Updates => values(column("updates"), &term.test, env),
        Field::Security => values(column("security_updates"), &term.test, env),
        Field::Needs => needs(&term.test),
        Field::Memory => values(column("memory_bytes"), &term.test, env),
        Field::LastSeen => known(column("last_seen_at"), values(column("last_seen_at"), &term.test, env)),
        Field::Created => values(column("created_at"), &term.test, env),
        Field::Package => inventory::parts(&term.test, |part| inventory::package(part, env)),
        Field::Service => inventory::parts(&term.test, |part| inventory::service(part, env)),
        Field::Port => inventory::number("socket", &term.test, env),
        Field::User => inventory::named("user", &term.test, env),
        Field::Role => inventory::named("role", &term.test, env),
        Field::Virtual => inventory::named("virtual", &term.test, env),
        Field::CertExpires => inventory::number("certificate", &inventory::ahead(&term.test, env), env),
        Field::Uptime
        | Field::CpuPercent
        | Field::CpuLoad1
        | Field::MemoryPercent
        | Field::SwapPercent
        | Field::DiskPercent
        | Field::DiskInodes
        | Field::Temperature => inventory::figure(term.field, &term.test, env),
        // Expansion put something else in its place.
        Field::Search => nothing(),
    }
}

fn column(name: &'static str) -> Expr {
    Expr::col(("machines", name))
}

pub(super) fn any(conditions: impl IntoIterator<Item = Condition>) -> Condition {
    conditions.into_iter().fold(Condition::any(), Condition::add)
}

/// Machines that have a row in `table`, whose column `machine_id` names them, for which `condition` holds.
pub(super) fn within(table: &'static str, condition: Condition, env: &Env) -> Condition {
    let mut rows = Query::select().column((table, "machine_id")).from(table).cond_where(condition).to_owned();
    if env.row_by_row {
        rows.and_where(Expr::col((table, "machine_id")).equals(("machines", "id")));
    }
    Condition::all().add(column("id").in_subquery(rows))
}

/// `condition`, which compares `column`, where the column has a value.
fn known(column: Expr, condition: Condition) -> Condition {
    Condition::all().add(column.is_not_null()).add(condition)
}

/// Equality, side or range of a column that holds plain values.
pub(super) fn values(column: Expr, test: &Test, env: &Env) -> Condition {
    match test {
        Test::OneOf(values) => Condition::all().add(column.is_in(values.iter().filter_map(|v| sql(v, env)))),
        Test::Compare(op, value) => compare(column, turned(*op, value), value, env),
        Test::Between(low, high) => {
            let (low_op, high_op) = (turned(Op::AtLeast, low), turned(Op::AtMost, high));
            Condition::all()
                .add(compare(column.clone(), low_op, low, env))
                .add(compare(column, high_op, high, env))
        }
    }
}

/// Longer ago is earlier: a comparison of ages is the opposite one of instants.
fn turned(op: Op, value: &Value) -> Op {
    match (value, op) {
        (Value::Span(_), Op::Less) => Op::More,
        (Value::Span(_), Op::AtMost) => Op::AtLeast,
        (Value::Span(_), Op::More) => Op::Less,
        (Value::Span(_), Op::AtLeast) => Op::AtMost,
        (_, op) => op,
    }
}

fn compare(column: Expr, op: Op, value: &Value, env: &Env) -> Condition {
    match sql(value, env) {
        Some(value) => Condition::all().add(side(column, op, value)),
        None => nothing(),
    }
}

pub(super) fn side(column: Expr, op: Op, value: SqlValue) -> Expr {
    match op {
        Op::Less => column.lt(value),
        Op::AtMost => column.lte(value),
        Op::More => column.gt(value),
        Op::AtLeast => column.gte(value),
    }
}

fn sql(value: &Value, env: &Env) -> Option<SqlValue> {
    Some(match value {
        Value::Id(id) => (*id).into(),
        Value::Choice("yes") => true.into(),
        Value::Choice("no") => false.into(),
        Value::Choice(word) => (*word).into(),
        Value::Number(n) if n % 1000 == 0 => (n / 1000).into(),
        Value::Number(n) => (*n as f64 / 1000.0).into(),
        Value::Bytes(n) => (*n).into(),
        Value::Span(seconds) => (env.now - chrono::Duration::seconds(*seconds)).into(),
        Value::At(at) => (*at).into(),
        Value::Text(_) | Value::Net(_) | Value::Part(_) => return None,
    })
}

/// Equality of text, as patterns; all that has none of `*` and `?` in one comparison.
pub(super) fn text_test(table: &'static str, name: &'static str, test: &Test, env: &Env) -> Condition {
    let Test::OneOf(values) = test else { return nothing() };
    let globs = values.iter().filter_map(|v| match v {
        Value::Text(text) => Some(Glob::new(text)),
        _ => None,
    });
    let (plain, patterns): (Vec<Glob>, Vec<Glob>) = globs.partition(|g| g.is_plain());
    let lower = || lower(table, name, env.backend);
    let mut any = Condition::any();
    if !plain.is_empty() {
        any = any.add(lower().is_in(plain.iter().map(Glob::text)));
    }
    patterns.iter().fold(any, |any, glob| any.add(like(lower, glob)))
}

/// ASCII letters in lower case, in the order of bytes: what both databases can do alike, and have an index of.
pub(super) fn lower(table: &'static str, name: &'static str, backend: DbBackend) -> Expr {
    let column = Expr::col((table, name));
    match backend {
        DbBackend::Postgres => Expr::cust_with_expr("lower($1 COLLATE \"C\")", column),
        _ => Expr::expr(Func::lower(column)),
    }
}

/// A pattern; what it begins with bounds the part of the index to look at.
fn like(lower: impl Fn() -> Expr, glob: &Glob) -> Condition {
    let mut all = Condition::all();
    if let Some((from, to)) = glob.bounds() {
        all = all.add(lower().gte(from)).add(lower().lt(to));
    }
    all.add(lower().like(LikeExpr::new(glob.like()).escape('\\')))
}

/// A version: equality as text, comparison by key.
fn version_test(name: &'static str, key: &'static str, test: &Test, env: &Env) -> Condition {
    let key_of = |value: &Value| match value {
        Value::Text(text) => SqlValue::from(version::plain_key(text)),
        _ => SqlValue::from(Vec::<u8>::new()),
    };
    match test {
        Test::OneOf(_) => text_test("machines", name, test, env),
        Test::Compare(op, value) => {
            known(column(key), Condition::all().add(side(column(key), *op, key_of(value))))
        }
        Test::Between(low, high) => known(
            column(key),
            Condition::all().add(column(key).gte(key_of(low))).add(column(key).lte(key_of(high))),
        ),
    }
}

fn needs(test: &Test) -> Condition {
    let Test::OneOf(values) = test else { return nothing() };
    any(values.iter().map(|value| match value {
        Value::Choice("reboot") => Condition::all().add(column("reboot_required").eq(true)),
        Value::Choice("update") => Condition::all().add(column("updates").gt(0)),
        Value::Choice("security") => Condition::all().add(column("security_updates").gt(0)),
        _ => nothing(),
    }))
}

fn address_test(test: &Test, env: &Env) -> Condition {
    let Test::OneOf(values) = test else { return nothing() };
    let key = || Expr::col(("machine_addresses", "key"));
    any(values.iter().map(|value| match value {
        Value::Net(net) => {
            let (first, last) = net.bounds();
            known(key(), Condition::all().add(key().gte(first.to_vec())).add(key().lte(last.to_vec())))
        }
        value => text_test("machine_addresses", "address", &Test::OneOf(vec![value.clone()]), env),
    }))
}
