//! Selectors as text: one way to write each, and what is written reads as the same.

use std::fmt::{Display, Formatter, Result};

use super::ast::{Node, Op, Term, Test};

impl Display for Node {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Term(term) => term.fmt(f),
            Self::Not(inner) => {
                f.write_str("not ")?;
                within(f, inner, matches!(**inner, Self::And(_) | Self::Or(_)))
            }
            Self::And(nodes) => joined(f, nodes, " ", |n| matches!(n, Self::Or(_))),
            Self::Or(nodes) => joined(f, nodes, " or ", |_| false),
        }
    }
}

fn within(f: &mut Formatter<'_>, node: &Node, parentheses: bool) -> Result {
    if parentheses { write!(f, "({node})") } else { node.fmt(f) }
}

fn joined(f: &mut Formatter<'_>, nodes: &[Node], by: &str, parentheses: impl Fn(&Node) -> bool) -> Result {
    for (i, node) in nodes.iter().enumerate() {
        if i > 0 {
            f.write_str(by)?;
        }
        within(f, node, parentheses(node))?;
    }
    Ok(())
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(self.field.spec().name)?;
        match &self.test {
            Test::OneOf(values) => {
                for (i, value) in values.iter().enumerate() {
                    f.write_str(if i == 0 { ":" } else { "," })?;
                    value.fmt(f)?;
                }
                Ok(())
            }
            Test::Compare(op, value) => write!(f, "{}{value}", op.text()),
            Test::Between(low, high) => write!(f, ":{low}..{high}"),
        }
    }
}

impl Op {
    /// As it is written.
    pub fn text(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;
    use crate::selector::{FIELDS, Kind, Selector, Value, ast::Part};

    fn value(kind: Kind, exact: bool) -> BoxedStrategy<Value> {
        let text = "[a-zA-Z0-9._~:/,<>=!()\\\\\"' -]{0,12}|\\PC{0,6}";
        match kind {
            Kind::Id => any::<u128>().prop_map(|n| Value::Id(uuid::Uuid::from_u128(n))).boxed(),
            Kind::Text => (text, "[*?]{0,2}").prop_map(|(a, b)| Value::Text(a + &b)).boxed(),
            Kind::Version if exact => text.prop_map(Value::Text).boxed(),
            Kind::Version => "[0-9a-z.+~-]{1,10}".prop_map(Value::Text).boxed(),
            Kind::Choice(words) => (0..words.len()).prop_map(move |i| Value::Choice(words[i])).boxed(),
            Kind::Address => prop_oneof![
                (any::<[u8; 4]>(), 0..=32u8)
                    .prop_map(|(a, p)| format!("{}/{p}", std::net::Ipv4Addr::from(a))),
                (any::<[u8; 16]>(), 0..=128u8)
                    .prop_map(|(a, p)| format!("{}/{p}", std::net::Ipv6Addr::from(a))),
            ]
            .prop_filter_map("a network", |text| crate::selector::Net::parse(&text).map(Value::Net))
            .boxed(),
            Kind::Number => (-1_000_000..1_000_000i64).prop_map(Value::Number).boxed(),
            Kind::Bytes => (0..1_i64 << 45).prop_map(Value::Bytes).boxed(),
            Kind::Span => (0..100_000_000i64).prop_map(Value::Span).boxed(),
            Kind::Package => (name(), prop::option::of((op(), "[0-9a-z.+~:-]{1,10}")))
                .prop_map(|(name, rest)| Value::Part(Part { name, rest: rest.map(|(op, v)| (Some(op), v)) }))
                .boxed(),
            Kind::Service(states) => (name(), prop::option::of(prop::sample::select(states)))
                .prop_map(|(name, state)| {
                    Value::Part(Part { name, rest: state.map(|state| (None, state.to_owned())) })
                })
                .boxed(),
            Kind::Past | Kind::Ahead => prop_oneof![
                (0..100_000_000i64).prop_map(Value::Span),
                (0..4_000_000_000i64)
                    .prop_filter_map("an instant", |s| DateTime::from_timestamp(s, 0).map(Value::At)),
            ]
            .boxed(),
            Kind::Search => "[a-z0-9_-]{1,20}".prop_map(Value::Text).boxed(),
        }
    }

    fn name() -> impl Strategy<Value = String> {
        "[a-zA-Z0-9._~:/,!()\\\\\"' *?-]{1,12}"
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![Just(Op::Less), Just(Op::AtMost), Just(Op::More), Just(Op::AtLeast)]
    }

    fn test(kind: Kind) -> BoxedStrategy<Test> {
        let one_of = prop::collection::vec(value(kind, true), 1..4).prop_map(Test::OneOf);
        let compare = (op(), value(kind, false)).prop_map(|(op, v)| Test::Compare(op, v));
        let between = (value(kind, false), value(kind, false))
            .prop_filter("alike", |(a, b)| std::mem::discriminant(a) == std::mem::discriminant(b))
            .prop_map(|(a, b)| Test::Between(a, b));
        match kind.operators() {
            [":", "!="] => one_of.boxed(),
            ["<", ..] => compare.boxed(),
            [":", "!=", ..] => prop_oneof![one_of, compare, between].boxed(),
            _ => prop_oneof![compare, between].boxed(),
        }
    }

    fn node() -> impl Strategy<Value = Node> {
        let term = (0..FIELDS.len()).prop_flat_map(|i| {
            test(FIELDS[i].kind).prop_map(move |test| Node::Term(Term { field: FIELDS[i].field, test }))
        });
        let leaf = prop_oneof![9 => term, 1 => Just(Node::All)];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                inner.clone().prop_map(|n| Node::Not(Box::new(n))),
                prop::collection::vec(inner.clone(), 1..4).prop_map(Node::and),
                prop::collection::vec(inner, 1..4).prop_map(Node::or),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_as_the_same(node in node()) {
            let text = node.to_string();
            match text.parse::<Selector>() {
                Ok(read) => prop_assert_eq!(read.node(), &node, "{}", text),
                Err(error) => prop_assert_eq!(error.problem.code(), "too_big", "{}", error),
            }
        }

        #[test]
        fn no_text_panics(text in "[()\": a-z*<>=!.,0-9orntg:-]{0,80}|\\PC{0,40}") {
            match text.parse::<Selector>() {
                Ok(selector) => {
                    let again = selector.to_string();
                    prop_assert_eq!(again.parse::<Selector>().expect("reads"), selector, "{}", again);
                }
                Err(error) => prop_assert!(error.at >= 1 && error.at <= text.chars().count() + 1),
            }
        }
    }
}
