//! One term: field, operator and values become a test.

use super::{
    ast::{Node, Op, Term, Test, Value},
    fields::{Field, Kind},
    lex::{Failure, Raw},
    parse::CheckSearch,
    problem::Problem,
    value,
};

/// A word alone: names that contain it, or match it when it is a pattern.
pub(super) fn name_contains(word: &Raw) -> Result<Node, Failure> {
    let pattern = match word.text.contains(['*', '?']) {
        true => word.text.clone(),
        false => format!("*{}*", word.text),
    };
    let pattern = value::text(&pattern).map_err(|e| (bad(word, e), word.at, word.length))?;
    Ok(Node::Term(Term { field: Field::Name, test: Test::OneOf(vec![pattern]) }))
}

pub(super) fn term(
    (at, length): (usize, usize),
    name: &str,
    operator: &'static str,
    raws: &[Raw],
    check_search: CheckSearch<'_>,
) -> Result<Node, Failure> {
    let field = Field::named(name).ok_or_else(|| (Problem::UnknownField(name.into()), at, length))?;
    let kind = field.spec().kind;
    let operator = if operator == "=" { ":" } else { operator };
    if !kind.operators().contains(&operator) {
        return Err((Problem::BadOperator(field.spec().name.into(), operator), at, length));
    }
    if let Some(empty) = raws.iter().find(|r| r.text.is_empty() && !r.quoted) {
        let place = if raws.len() == 1 { (at, length) } else { (empty.at, 0) };
        return Err((Problem::NoValue(field.spec().name.into()), place.0, place.1));
    }
    let node = |test| Node::Term(Term { field, test });
    let side = match operator {
        "<" => Op::Less,
        "<=" => Op::AtMost,
        ">" => Op::More,
        ">=" => Op::AtLeast,
        "!=" => return Ok(Node::Not(Box::new(node(one_of(kind, raws, check_search)?)))),
        _ => match raws {
            [raw] if raw.range.is_some() && ranges(kind) => return Ok(node(between(kind, raw)?)),
            _ => return Ok(node(one_of(kind, raws, check_search)?)),
        },
    };
    match raws {
        [raw] => Ok(node(Test::Compare(
            side,
            bound(kind, &raw.text).map_err(|e| (bad(raw, e), raw.at, raw.length))?,
        ))),
        _ => {
            let all = raws.iter().map(|r| r.text.as_str()).collect::<Vec<_>>().join(",");
            let place = raws[0].at;
            Err((Problem::BadValue(all, "one value".into()), place, at + length - place))
        }
    }
}

fn ranges(kind: Kind) -> bool {
    kind.operators().contains(&"<")
}

fn bad(raw: &Raw, expected: String) -> Problem {
    Problem::BadValue(raw.text.clone(), expected)
}

fn between(kind: Kind, raw: &Raw) -> Result<Test, Failure> {
    let (low, high) = raw.text.split_at(raw.range.unwrap_or_default());
    let bound = |text: &str| bound(kind, text);
    match (bound(low), bound(&high[2..])) {
        (Ok(low), Ok(high)) if std::mem::discriminant(&low) == std::mem::discriminant(&high) => {
            Ok(Test::Between(low, high))
        }
        _ => {
            let expected = format!("two of {} with `..` between them", kind.expected());
            Err((bad(raw, expected), raw.at, raw.length))
        }
    }
}

fn one_of(kind: Kind, raws: &[Raw], check_search: CheckSearch<'_>) -> Result<Test, Failure> {
    let value = |raw: &Raw| {
        let fail = |problem| (problem, raw.at, raw.length);
        let value = exact(kind, &raw.text).map_err(|e| fail(bad(raw, e)))?;
        match (kind, check_search(&raw.text)) {
            (Kind::Search, Some(problem)) => Err(fail(problem)),
            _ => Ok(value),
        }
    };
    Ok(Test::OneOf(raws.iter().map(value).collect::<Result<_, _>>()?))
}

/// A value to equal or match.
fn exact(kind: Kind, text: &str) -> Result<Value, String> {
    let expected = || kind.expected();
    match kind {
        Kind::Id => text.parse().map(Value::Id).map_err(|_| expected()),
        Kind::Text | Kind::Version => value::text(text),
        Kind::Choice(words) => value::choice(words, text).ok_or_else(expected),
        Kind::Address => value::address(text).ok_or_else(expected),
        Kind::Number | Kind::Bytes => bound(kind, text),
        Kind::Past | Kind::Ahead => {
            Err("a range such as `2026-01-01..2026-02-01`, or use `<` and `>`".into())
        }
        Kind::Span => Err(expected()),
        Kind::Package => value::part(text, None).map(Value::Part).ok_or_else(expected),
        Kind::Service(states) => value::part(text, Some(states)).map(Value::Part).ok_or_else(expected),
        Kind::Search => match value::is_search_name(text) {
            true => Ok(Value::Text(text.into())),
            false => Err(expected()),
        },
    }
}

/// A value to compare with.
fn bound(kind: Kind, text: &str) -> Result<Value, String> {
    let found = match kind {
        Kind::Version if !text.contains(['*', '?']) => value::text(text).ok(),
        Kind::Number => value::number(text).map(Value::Number),
        Kind::Bytes => value::bytes(text).map(Value::Bytes),
        Kind::Past | Kind::Ahead => {
            value::span(text).map(Value::Span).or_else(|| value::instant(text).map(Value::At))
        }
        Kind::Span => value::span(text).map(Value::Span),
        _ => None,
    };
    found.ok_or_else(|| kind.expected())
}
