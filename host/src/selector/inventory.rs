//! Selectors that ask of inventories and figures: as conditions on other tables than `machines`, and over facts.

use sea_orm::{
    Condition,
    sea_query::{Expr, ExprTrait, Query, SelectStatement},
};

use super::{
    ast::{Part, Test, Value},
    compile::{any, side, text_test, values, within},
    env::Env,
    evaluate::{Item, MachineFacts},
    fields::Field,
    glob::Glob,
    version,
};

/// Figures that selectors look at, with their columns of `machine_metrics`.
const FIGURES: [(Field, &str); 8] = [
    (Field::Uptime, "uptime_s"),
    (Field::CpuPercent, "cpu_percent"),
    (Field::CpuLoad1, "load1"),
    (Field::MemoryPercent, "memory_used_percent"),
    (Field::SwapPercent, "swap_used_percent"),
    (Field::DiskPercent, "disk_used_percent"),
    (Field::DiskInodes, "disk_inodes_percent"),
    (Field::Temperature, "temperature_c"),
];

/// Columns of `machine_metrics` that selectors look at.
pub fn figure_columns() -> impl Iterator<Item = &'static str> {
    FIGURES.iter().map(|(_, column)| *column)
}

/// The column of `machine_metrics` that holds a figure.
pub(super) fn figure_column(field: Field) -> Option<&'static str> {
    FIGURES.iter().find(|(figure, _)| *figure == field).map(|(_, column)| *column)
}

/// The kind of item that a field looks at.
pub(super) fn item_kind(field: Field) -> Option<&'static str> {
    Some(match field {
        Field::Service => "service",
        Field::Port => "socket",
        Field::User => "user",
        Field::Role => "role",
        Field::Virtual => "virtual",
        Field::CertExpires => "certificate",
        _ => return None,
    })
}

/// A figure on one side of a number, or between two. A length of time is seconds.
pub(super) fn figure(field: Field, test: &Test, env: &Env) -> Condition {
    let column = Expr::col(("machine_metrics", figure_column(field).unwrap_or("machine_id")));
    within("machine_metrics", values(column, &plain(test), env), env)
}

/// Lengths of time as numbers, which compare the other way round than how long ago something was.
pub(super) fn plain(test: &Test) -> Test {
    each(test, |value| match value {
        Value::Span(seconds) => Value::Number(seconds.saturating_mul(1000)),
        value => value.clone(),
    })
}

/// Moments ahead as seconds since 1970.
pub(super) fn ahead(test: &Test, env: &Env) -> Test {
    each(test, |value| match value {
        Value::Span(seconds) => Value::Bytes(env.now.timestamp().saturating_add(*seconds)),
        Value::At(at) => Value::Bytes(at.timestamp()),
        value => value.clone(),
    })
}

fn each(test: &Test, change: impl Fn(&Value) -> Value) -> Test {
    match test {
        Test::OneOf(all) => Test::OneOf(all.iter().map(change).collect()),
        Test::Compare(op, value) => Test::Compare(*op, change(value)),
        Test::Between(low, high) => Test::Between(change(low), change(high)),
    }
}

/// Machines with an item of this kind for which `condition` holds.
fn items(kind: &'static str, condition: Condition, env: &Env) -> Condition {
    let rows = Query::select()
        .column(("machine_items", "machine_no"))
        .from("machine_items")
        .and_where(Expr::col(("machine_items", "kind")).eq(kind))
        .cond_where(condition)
        .to_owned();
    numbered(rows, "machine_items", env)
}

/// Machines whose number is among `rows`; one without a number is among none.
fn numbered(mut rows: SelectStatement, table: &'static str, env: &Env) -> Condition {
    if env.row_by_row {
        rows.and_where(Expr::col((table, "machine_no")).equals(("machines", "no")));
    }
    let no = || Expr::col(("machines", "no"));
    Condition::all().add(no().is_not_null()).add(no().in_subquery(rows))
}

/// Items by name.
pub(super) fn named(kind: &'static str, test: &Test, env: &Env) -> Condition {
    items(kind, text_test("machine_items", "name", test, env), env)
}

/// Items by number.
pub(super) fn number(kind: &'static str, test: &Test, env: &Env) -> Condition {
    items(kind, values(Expr::col(("machine_items", "number")), test, env), env)
}

/// Services by name and state.
pub(super) fn service(part: &Part, env: &Env) -> Condition {
    let name = text_test("machine_items", "name", &text(&part.name), env);
    let state = part.rest.iter().map(|(_, state)| Expr::col(("machine_items", "detail")).eq(state.clone()));
    items("service", state.fold(name, |all, state| Condition::all().add(all).add(state)), env)
}

/// Packages by name and version: titles, their versions, then the machines, each by its index.
pub(super) fn package(part: &Part, env: &Env) -> Condition {
    let titles = Query::select()
        .column(("software_titles", "id"))
        .from("software_titles")
        .cond_where(text_test("software_titles", "name", &text(&part.name), env))
        .to_owned();
    let version = match &part.rest {
        None => Condition::all(),
        Some((None, version)) => text_test("software", "version", &text(version), env),
        Some((Some(op), version)) => {
            let key = || Expr::col(("software", "version_key"));
            let bound = version::debian_key(version).into();
            Condition::all().add(key().is_not_null()).add(side(key(), *op, bound))
        }
    };
    let entries = Query::select()
        .column(("software", "id"))
        .from("software")
        .and_where(Expr::col(("software", "title_id")).in_subquery(titles))
        .cond_where(version)
        .to_owned();
    let rows = Query::select()
        .column(("machine_software", "machine_no"))
        .from("machine_software")
        .and_where(Expr::col(("machine_software", "entry_id")).in_subquery(entries))
        .to_owned();
    numbered(rows, "machine_software", env)
}

fn text(pattern: &str) -> Test {
    Test::OneOf(vec![Value::Text(pattern.to_owned())])
}

/// Whether facts have a package like this.
pub(super) fn has_package(facts: &MachineFacts, part: &Part) -> bool {
    let name = Glob::new(&part.name);
    facts.packages.iter().filter(|(found, _)| name.matches(found)).any(|(_, found)| match &part.rest {
        None => true,
        Some((None, version)) => Glob::new(version).matches(found),
        Some((Some(op), version)) => op.holds(version::debian_key(found).cmp(&version::debian_key(version))),
    })
}

/// Whether an item is the service, in the state.
pub(super) fn is_service(item: &Item, part: &Part) -> bool {
    let state = part.rest.as_ref().is_none_or(|(_, state)| item.detail == *state);
    state && Glob::new(&part.name).matches(&item.name)
}

/// What else than the machine's own row selectors look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asks {
    /// Installed packages.
    pub packages: bool,
    /// Services, ports, accounts, roles, certificates.
    pub items: bool,
    /// The newest figures.
    pub figures: bool,
}

impl Asks {
    /// Everything.
    pub const ALL: Self = Self { packages: true, items: true, figures: true };

    /// What one or the other needs.
    pub fn and(self, other: Self) -> Self {
        Self {
            packages: self.packages | other.packages,
            items: self.items | other.items,
            figures: self.figures | other.figures,
        }
    }

    /// What a field needs, besides what is needed already.
    pub(super) fn field(&mut self, field: Field) {
        self.packages |= field == Field::Package;
        self.items |= item_kind(field).is_some();
        self.figures |= figure_column(field).is_some();
    }
}

/// Conditions of a test's parts, one of which must hold.
pub(super) fn parts(test: &Test, one: impl Fn(&Part) -> Condition) -> Condition {
    any(of(test).map(one))
}

/// The parts that a test names.
pub(super) fn of(test: &Test) -> impl Iterator<Item = &Part> {
    let values = if let Test::OneOf(values) = test { values.as_slice() } else { &[] };
    values.iter().filter_map(|value| if let Value::Part(part) = value { Some(part) } else { None })
}
