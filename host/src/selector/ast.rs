//! The tree of a selector.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{fields::Field, net::Net};

/// A selector, or a part of one. Build `And` and `Or` with [`Node::and`] and [`Node::or`], which keep the tree flat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// Every machine.
    All,
    /// A field passes a test.
    Term(Term),
    /// The inner does not hold.
    Not(Box<Node>),
    /// All hold.
    And(Vec<Node>),
    /// One holds.
    Or(Vec<Node>),
}

/// A field and what it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// What is looked at.
    pub field: Field,
    /// What it must be.
    pub test: Test,
}

/// What a field must be. A machine that has no value passes no test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// One of these, at least one.
    OneOf(Vec<Value>),
    /// On this side of a value.
    Compare(Op, Value),
    /// From the first to the second, both included.
    Between(Value, Value),
}

/// Which side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}

/// A value, as its field's kind wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text, in tests for equality a pattern with `*` and `?`.
    Text(String),
    /// A machine's id.
    Id(Uuid),
    /// One of a few words.
    Choice(&'static str),
    /// Thousandths.
    Number(i64),
    /// Bytes.
    Bytes(i64),
    /// Seconds.
    Span(i64),
    /// An instant.
    At(DateTime<Utc>),
    /// A network of addresses.
    Net(Net),
    /// Something by name, and perhaps what else must be true of it: `openssl<3.0.11`, `nginx=failed`.
    Part(Part),
}

/// A name as a pattern, with or without a condition on what has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Pattern of the name.
    pub name: String,
    /// How the rest must be: equal to a pattern, or on one side of it.
    pub rest: Option<(Option<Op>, String)>,
}

impl Node {
    /// All of `nodes`.
    pub fn and(nodes: impl IntoIterator<Item = Node>) -> Node {
        let mut flat = Vec::new();
        for node in nodes {
            match node {
                Node::And(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        single(flat, Node::And)
    }

    /// One of `nodes`.
    pub fn or(nodes: impl IntoIterator<Item = Node>) -> Node {
        let mut flat = Vec::new();
        for node in nodes {
            match node {
                Node::Or(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        single(flat, Node::Or)
    }

    /// Call `f` with every term.
    pub fn each_term<'a>(&'a self, f: &mut impl FnMut(&'a Term)) {
        match self {
            Self::All => {}
            Self::Term(term) => f(term),
            Self::Not(inner) => inner.each_term(f),
            Self::And(nodes) | Self::Or(nodes) => nodes.iter().for_each(|n| n.each_term(f)),
        }
    }

    /// Names of saved searches that it refers to.
    pub fn searches(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.each_term(&mut |term| {
            if let (Field::Search, Test::OneOf(values)) = (term.field, &term.test) {
                names.extend(values.iter().filter_map(|v| match v {
                    Value::Text(name) => Some(name.as_str()),
                    _ => None,
                }));
            }
        });
        names
    }
}

fn single(mut nodes: Vec<Node>, many: impl Fn(Vec<Node>) -> Node) -> Node {
    match nodes.len() {
        0 => Node::All,
        1 => nodes.swap_remove(0),
        _ => many(nodes),
    }
}
