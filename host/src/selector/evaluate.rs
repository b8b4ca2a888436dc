//! Selectors evaluated over the facts of one machine: the same answer as the database gives, without asking it.

use std::cmp::Ordering;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    ast::{Node, Op, Term, Test, Value},
    env::Env,
    fields::Field,
    glob::Glob,
    inventory, net, version,
};

/// What selectors look at of one machine.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)] // Named as the fields of selectors.
pub struct MachineFacts {
    pub id: Uuid,
    pub name: String,
    pub hostname: String,
    pub state: String,
    pub online: bool,
    pub os_family: String,
    pub os_id: String,
    pub os_name: String,
    pub os_version: String,
    pub kernel: String,
    pub arch: String,
    pub agent_version: String,
    pub cpus: i32,
    pub memory_bytes: i64,
    pub notes: String,
    pub updates: i32,
    pub security_updates: i32,
    pub reboot_required: bool,
    pub created_at: DateTime<Utc>,
    pub last_seen_at: Option<DateTime<Utc>>,
    pub tags: Vec<String>,
    pub addresses: Vec<String>,
    pub sections: Vec<String>,
    /// Name and version; empty unless asked for.
    pub packages: Vec<(String, String)>,
    /// Empty unless asked for.
    pub items: Vec<Item>,
    /// The newest figures by column of `machine_metrics`; empty unless asked for.
    pub figures: Vec<(&'static str, f64)>,
}

/// A service, socket, account, role or certificate.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)] // Named as the columns of `machine_items`.
pub struct Item {
    pub kind: String,
    pub name: String,
    pub detail: String,
    pub number: Option<i64>,
}

/// A machine's value, where it is neither text nor a version.
enum Plain<'a> {
    Id(Uuid),
    Word(&'a str),
    Number(f64),
    At(DateTime<Utc>),
}

/// Whether an expanded tree selects a machine.
pub(super) fn holds(node: &Node, facts: &MachineFacts, env: &Env) -> bool {
    match node {
        Node::All => true,
        Node::Not(inner) => !holds(inner, facts, env),
        Node::And(nodes) => nodes.iter().all(|n| holds(n, facts, env)),
        Node::Or(nodes) => nodes.iter().any(|n| holds(n, facts, env)),
        Node::Term(term) => self::term(term, facts, env),
    }
}

fn term(term: &Term, m: &MachineFacts, env: &Env) -> bool {
    let text = |values: &[&str]| values.iter().any(|v| matches(v, &term.test));
    let list = |values: &[String]| values.iter().any(|v| matches(v, &term.test));
    let plain = |value: Plain<'_>| passes(&value, &term.test, env);
    match term.field {
        Field::Name => text(&[&m.name]),
        Field::Hostname => text(&[&m.hostname]),
        Field::Os => text(&[&m.os_family, &m.os_id, &m.os_name]),
        Field::Kernel => text(&[&m.kernel]),
        Field::Arch => text(&[&m.arch]),
        Field::Notes => text(&[&m.notes]),
        Field::OsVersion => version(&m.os_version, &term.test),
        Field::AgentVersion => version(&m.agent_version, &term.test),
        Field::Tag => list(&m.tags),
        Field::Has => list(&m.sections),
        Field::Address => m.addresses.iter().any(|a| address(a, &term.test)),
        Field::Id => plain(Plain::Id(m.id)),
        Field::State => plain(Plain::Word(&m.state)),
        Field::Online => plain(Plain::Word(if m.online { "yes" } else { "no" })),
        Field::Cpus => plain(Plain::Number(m.cpus.into())),
        Field::Updates => plain(Plain::Number(m.updates.into())),
        Field::Security => plain(Plain::Number(m.security_updates.into())),
        Field::Needs => {
            let needs = [
                (m.reboot_required, "reboot"),
                (m.updates > 0, "update"),
                (m.security_updates > 0, "security"),
            ];
            needs.iter().any(|(needed, word)| *needed && plain(Plain::Word(word)))
        }
        Field::Memory => plain(Plain::Number(m.memory_bytes as f64)),
        Field::Created => plain(Plain::At(m.created_at)),
        Field::LastSeen => m.last_seen_at.is_some_and(|at| plain(Plain::At(at))),
        Field::Package => inventory::of(&term.test).any(|part| inventory::has_package(m, part)),
        Field::Service => items(m, term.field)
            .any(|item| inventory::of(&term.test).any(|part| inventory::is_service(item, part))),
        Field::User | Field::Role | Field::Virtual => {
            items(m, term.field).any(|item| matches(&item.name, &term.test))
        }
        Field::Port => numbers(m, term.field, &term.test, env),
        Field::CertExpires => numbers(m, term.field, &inventory::ahead(&term.test, env), env),
        Field::Search => false,
        figure => {
            let column = inventory::figure_column(figure);
            let test = inventory::plain(&term.test);
            let mut figures = m.figures.iter().filter(|(name, _)| column == Some(*name));
            figures.any(|(_, value)| passes(&Plain::Number(*value), &test, env))
        }
    }
}

fn items(facts: &MachineFacts, field: Field) -> impl Iterator<Item = &Item> {
    let kind = inventory::item_kind(field);
    facts.items.iter().filter(move |item| Some(item.kind.as_str()) == kind)
}

fn numbers(facts: &MachineFacts, field: Field, test: &Test, env: &Env) -> bool {
    let mut numbers = items(facts, field).filter_map(|item| item.number);
    numbers.any(|number| passes(&Plain::Number(number as f64), test, env))
}

fn matches(value: &str, test: &Test) -> bool {
    let Test::OneOf(values) = test else { return false };
    values.iter().any(|v| matches!(v, Value::Text(text) if Glob::new(text).matches(value)))
}

fn address(value: &str, test: &Test) -> bool {
    let Test::OneOf(values) = test else { return false };
    values.iter().any(|v| match v {
        Value::Net(net) => {
            let (first, last) = net.bounds();
            net::bytes_of(value).is_some_and(|key| (first..=last).contains(&key))
        }
        Value::Text(text) => Glob::new(text).matches(value),
        _ => false,
    })
}

fn version(value: &str, test: &Test) -> bool {
    let key = version::plain_key(value);
    let order = |other: &Value| match other {
        Value::Text(text) if !value.is_empty() => Some(key.cmp(&version::plain_key(text))),
        _ => None,
    };
    match test {
        Test::OneOf(_) => matches(value, test),
        Test::Compare(op, other) => order(other).is_some_and(|o| op.holds(o)),
        Test::Between(low, high) => {
            order(low).is_some_and(Ordering::is_ge) && order(high).is_some_and(Ordering::is_le)
        }
    }
}

fn passes(value: &Plain<'_>, test: &Test, env: &Env) -> bool {
    let order = |other: &Value| order(value, other, env);
    match test {
        Test::OneOf(values) => values.iter().any(|v| order(v) == Some(Ordering::Equal)),
        Test::Compare(op, other) => order(other).is_some_and(|o| op.holds(o)),
        Test::Between(low, high) => {
            order(low).is_some_and(Ordering::is_ge) && order(high).is_some_and(Ordering::is_le)
        }
    }
}

/// How a machine's value lies to one of the selector's; ages are compared, not instants.
fn order(value: &Plain<'_>, other: &Value, env: &Env) -> Option<Ordering> {
    match (value, other) {
        (Plain::Id(a), Value::Id(b)) => (a == b).then_some(Ordering::Equal),
        (Plain::Word(a), Value::Choice(b)) => (a == b).then_some(Ordering::Equal),
        (Plain::Number(a), Value::Number(b)) => a.partial_cmp(&(*b as f64 / 1000.0)),
        (Plain::Number(a), Value::Bytes(b)) => a.partial_cmp(&(*b as f64)),
        (Plain::At(at), Value::At(b)) => Some(at.cmp(b)),
        (Plain::At(at), Value::Span(b)) => Some((env.now - *at).cmp(&chrono::Duration::seconds(*b))),
        _ => None,
    }
}

impl Op {
    pub(super) fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::More => order.is_gt(),
            Self::AtLeast => order.is_ge(),
        }
    }
}
