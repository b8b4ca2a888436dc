//! Parser of selectors: recursive descent with a bounded depth.

use super::{
    ast::Node,
    fields::{FIELDS, Field, Kind},
    lex::{Failure, Token, TokenKind, tokens},
    problem::{Problem, SelectorError, nearest},
    term,
};

/// Longest selector, in characters.
pub const MAX_CHARS: usize = 2000;
const MAX_DEPTH: usize = 32;
/// Most terms and values of a selector.
const MAX_TERMS: usize = 200;

/// Says what is wrong with the name of a saved search, if anything.
pub(super) type CheckSearch<'a> = &'a dyn Fn(&str) -> Option<Problem>;

pub(super) fn parse(text: &str, check_search: CheckSearch<'_>) -> Result<Node, SelectorError> {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() > MAX_CHARS {
        let start: String = chars.into_iter().take(100).collect();
        return Err(error((Problem::TooBig("long"), MAX_CHARS, 0), &start, None));
    }
    parsed(&chars, check_search).map_err(|failure| {
        let suggestion = suggestion(&failure, &chars);
        error(failure, text, suggestion)
    })
}

fn error((problem, at, length): Failure, text: &str, suggestion: Option<String>) -> SelectorError {
    let suggestion = suggestion.map(String::into_boxed_str);
    SelectorError { problem, at: at + 1, length, suggestion, text: text.into() }
}

fn parsed(chars: &[char], check_search: CheckSearch<'_>) -> Result<Node, Failure> {
    let tokens = tokens(chars)?;
    if tokens.is_empty() {
        return Ok(Node::All);
    }
    let mut parser = Parser { tokens, next: 0, end: chars.len(), terms: 0, check_search };
    let node = parser.any(0)?;
    match parser.tokens.get(parser.next) {
        None => Ok(node),
        Some(token) => Err((Problem::Unopened, token.at, token.length)),
    }
}

/// What was meant, perhaps: the nearest field or word.
fn suggestion((problem, at, length): &Failure, chars: &[char]) -> Option<String> {
    match problem {
        Problem::UnknownField(name) => {
            let nearest = nearest(name, FIELDS.iter().map(|f| f.name))?;
            let rest: String = chars[at + name.chars().count()..at + length].iter().collect();
            Some(format!("{nearest}{rest}"))
        }
        Problem::BadValue(value, _) => {
            let (field, _, _) = super::lex::field(chars, start_of_term(chars, *at))?;
            match Field::named(&field)?.spec().kind {
                Kind::Choice(words) => nearest(value, words.iter().copied()).map(Into::into),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Where the term begins that a value at `at` belongs to.
fn start_of_term(chars: &[char], at: usize) -> usize {
    let delimits = |c: &char| c.is_whitespace() || matches!(c, '(' | ')');
    let start = chars[..at].iter().rposition(delimits).map_or(0, |i| i + 1);
    start + chars[start..at].iter().take_while(|c| **c == '-').count()
}

struct Parser<'a> {
    tokens: Vec<Token>,
    next: usize,
    end: usize,
    terms: usize,
    check_search: CheckSearch<'a>,
}

impl Parser<'_> {
    fn kind(&self) -> Option<&TokenKind> {
        self.tokens.get(self.next).map(|t| &t.kind)
    }

    fn any(&mut self, depth: usize) -> Result<Node, Failure> {
        let mut nodes = vec![self.all(depth)?];
        while let Some(TokenKind::Or) = self.kind() {
            self.next += 1;
            nodes.push(self.all(depth)?);
        }
        Ok(Node::or(nodes))
    }

    fn all(&mut self, depth: usize) -> Result<Node, Failure> {
        let mut nodes = vec![self.one(depth)?];
        loop {
            match self.kind() {
                None | Some(TokenKind::Or | TokenKind::Close) => return Ok(Node::and(nodes)),
                Some(TokenKind::And) => self.next += 1,
                Some(_) => {}
            }
            nodes.push(self.one(depth)?);
        }
    }

    fn one(&mut self, depth: usize) -> Result<Node, Failure> {
        let Some(token) = self.tokens.get(self.next).cloned() else {
            return Err((Problem::MissingTerm, self.end, 0));
        };
        if depth > MAX_DEPTH {
            return Err((Problem::TooBig("deep"), token.at, token.length));
        }
        self.next += 1;
        match token.kind {
            TokenKind::Or | TokenKind::And | TokenKind::Close => {
                Err((Problem::MissingTerm, token.at, token.length))
            }
            TokenKind::Not => Ok(Node::Not(Box::new(self.one(depth + 1)?))),
            TokenKind::Open => {
                let inner = self.any(depth + 1)?;
                match self.kind() {
                    Some(TokenKind::Close) => self.next += 1,
                    _ => return Err((Problem::Unclosed, token.at, token.length)),
                }
                Ok(inner)
            }
            TokenKind::All => Ok(Node::All),
            TokenKind::Word(word) => {
                self.count(1, token.at)?;
                term::name_contains(&word)
            }
            TokenKind::Term { field, operator, values } => {
                self.count(values.len(), token.at)?;
                let place = (token.at, token.length);
                term::term(place, &field, operator, &values, self.check_search)
            }
        }
    }

    fn count(&mut self, values: usize, at: usize) -> Result<(), Failure> {
        self.terms += values;
        if self.terms > MAX_TERMS { Err((Problem::TooBig("big"), at, 0)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(text: &str) -> Node {
        parse(text, &|_| None).expect("parses")
    }

    fn canonical(text: &str) -> String {
        ok(text).to_string()
    }

    #[test]
    fn terms_combine_with_not_strongest_and_or_weakest() {
        assert_eq!(
            canonical("os:debian -tag:web OR (name:\"a b\" and all)"),
            "os:debian not tag:web or name:\"a b\" all"
        );
        assert_eq!(canonical("(tag:a or tag:b) not (tag:c tag:d)"), "(tag:a or tag:b) not (tag:c tag:d)");
        assert_eq!(canonical("((tag:a)) ((tag:b tag:c))"), "tag:a tag:b tag:c");
        assert_eq!(ok("  "), Node::All);
    }

    #[test]
    fn a_word_alone_finds_names_that_contain_it() {
        assert_eq!(canonical("web"), "name:*web*");
        assert_eq!(canonical("web-? \"a b\""), "name:web-? name:\"*a b*\"");
        assert_eq!(canonical("\"not\""), "name:*not*");
    }

    #[test]
    fn values_are_written_in_one_way() {
        for (text, expected) in [
            ("memory>=16384MiB", "memory>=16GiB"),
            ("memory>1.5G", "memory>1536MiB"),
            ("cpus=4,08", "cpus:4,8"),
            ("cpus:2..4", "cpus:2..4"),
            ("cpus!=4", "not cpus:4"),
            ("last_seen<48h", "last_seen<2d"),
            ("created>2026-01-01T00:00:00Z", "created>2026-01-01"),
            ("created>=2026-01-01T10:30:00+01:00", "created>=2026-01-01T09:30:00Z"),
            ("online:TRUE", "online:yes"),
            ("ip:10.1.2.3/16", "address:10.1.0.0/16"),
            ("group:lab", "search:lab"),
            ("OS:Debian", "os:Debian"),
            ("notes:\"say \\\"hi\\\", \\\\o\"", "notes:\"say \\\"hi\\\", \\\\o\""),
        ] {
            assert_eq!(canonical(text), expected, "{text}");
            assert_eq!(ok(expected), ok(text), "{text}");
        }
    }

    #[test]
    fn an_error_points_at_the_characters() {
        let wrong = |text: &str| {
            let e = parse(text, &|_| None).expect_err("is wrong");
            (e.at, e.length, e.problem.code(), e.suggestion.map(String::from).unwrap_or_default())
        };
        for (text, at, length, code, suggestion) in [
            ("tag:a (os:b", 7, 1, "unclosed_parenthesis", ""),
            ("tag:a )", 7, 1, "unopened_parenthesis", ""),
            ("tag:a or", 9, 0, "missing_term", ""),
            ("tag:a or or tag:b", 10, 2, "missing_term", ""),
            ("os:d tga:web", 6, 7, "unknown_field", "tag:web"),
            ("os:d tag:", 6, 4, "no_value", ""),
            ("id:7", 4, 1, "bad_value", ""),
            ("tag:a state:aproved", 13, 7, "bad_value", "approved"),
            ("name:\"x", 6, 2, "open_quote", ""),
            ("tag>a", 1, 5, "bad_operator", ""),
            ("cpus>many", 6, 4, "bad_value", ""),
            ("created:2026-01-01", 9, 10, "bad_value", ""),
            ("search:No!", 8, 3, "bad_value", ""),
        ] {
            assert_eq!(wrong(text), (at, length, code, suggestion.to_owned()), "{text}");
        }
        assert_eq!(wrong(&"(".repeat(100)).2, "too_big");
        assert_eq!(wrong(&"a ".repeat(300)).2, "too_big");
        assert_eq!(wrong(&"a".repeat(3000)).2, "too_big");
        let missing =
            parse("search:gone", &|name| Some(Problem::UnknownSearch(name.into()))).expect_err("is wrong");
        assert_eq!((missing.at, missing.length), (8, 4));
    }
}
