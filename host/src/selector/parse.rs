//! Parser of selectors: recursive descent with a bounded depth.

use super::{Node, SelectorError};

const MAX_CHARS: usize = 2000;
const MAX_DEPTH: usize = 32;
const MAX_TERMS: usize = 200;

/// What a term looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// `id:` the machine's id, whole.
    Id,
    /// `name:` with `*` and `?`.
    Name,
    /// `tag:` with `*` and `?`.
    Tag,
    /// `os:` family, distribution or name, with `*` and `?`.
    Os,
    /// `state:` of enrolment: `pending`, `approved`, `rejected`, ...
    State,
    /// `online:yes` or `online:no`.
    Online,
}

/// Why a selector does not parse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Longer, deeper or with more terms than allowed.
    #[error("the selector is too {0}")]
    TooBig(&'static str),
    /// The selector ends where a term should begin.
    #[error("a term is missing")]
    MissingTerm,
    /// An opening parenthesis without its closing one.
    #[error("this parenthesis is not closed")]
    Unclosed,
    /// A closing parenthesis too many.
    #[error("this parenthesis closes nothing")]
    Unopened,
    /// Not `field:value`.
    #[error("`{0}` is not a term; write `name:{0}`, or another of id, name, tag, os, state, online")]
    NotATerm(String),
    /// A field that does not exist.
    #[error("there is no field `{0}`; there are id, name, tag, os, state, online")]
    UnknownField(String),
    /// A field without value.
    #[error("the field `{0}` has no value")]
    NoValue(String),
    /// A value that the field cannot have.
    #[error("`{0}` is not {1}")]
    BadValue(String, &'static str),
    /// A quoted value that does not end.
    #[error("this quote is not closed")]
    OpenQuote,
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    Not,
    Or,
    /// A term; field and value, value unquoted.
    Term(String, String),
    /// A word without colon.
    Word(String),
}

pub(super) fn parse(text: &str) -> Result<Node, SelectorError> {
    let fail = |(problem, at): (Problem, usize)| SelectorError { problem, at: at + 1, text: text.into() };
    let chars: Vec<char> = text.chars().collect();
    if chars.len() > MAX_CHARS {
        let text = chars.into_iter().take(100).collect();
        return Err(SelectorError { problem: Problem::TooBig("long"), at: MAX_CHARS + 1, text });
    }
    let tokens = tokens(&chars).map_err(fail)?;
    if tokens.is_empty() {
        return Ok(Node::All);
    }
    let mut parser = Parser { tokens, next: 0, end: chars.len(), terms: 0 };
    let node = parser.any(0).map_err(fail)?;
    match parser.tokens.get(parser.next) {
        None => Ok(node),
        Some((_, at)) => Err(fail((Problem::Unopened, *at))),
    }
}

type Failure = (Problem, usize);

fn tokens(chars: &[char]) -> Result<Vec<(Token, usize)>, Failure> {
    let (mut tokens, mut i) = (Vec::new(), 0);
    while i < chars.len() {
        let at = i;
        match chars[i] {
            c if c.is_whitespace() => i += 1,
            '(' => {
                tokens.push((Token::Open, at));
                i += 1;
            }
            ')' => {
                tokens.push((Token::Close, at));
                i += 1;
            }
            _ => tokens.push((word(chars, &mut i)?, at)),
        }
    }
    Ok(tokens)
}

/// A word, or a term `field:value` whose value may be quoted.
fn word(chars: &[char], i: &mut usize) -> Result<Token, Failure> {
    let (mut text, mut colon) = (String::new(), None);
    while let Some(&c) = chars.get(*i) {
        match c {
            c if c.is_whitespace() || c == '(' || c == ')' => break,
            '"' => {
                let start = *i;
                let length =
                    chars[start + 1..].iter().position(|c| *c == '"').ok_or((Problem::OpenQuote, start))?;
                text.extend(&chars[start + 1..start + 1 + length]);
                *i = start + length + 2;
                continue;
            }
            ':' if colon.is_none() => colon = Some(text.len()),
            _ => {}
        }
        text.push(c);
        *i += 1;
    }
    Ok(match colon {
        Some(colon) => Token::Term(text[..colon].to_lowercase(), text[colon + 1..].to_owned()),
        None if text == "not" => Token::Not,
        None if text == "or" => Token::Or,
        None => Token::Word(text),
    })
}

struct Parser {
    tokens: Vec<(Token, usize)>,
    next: usize,
    end: usize,
    terms: usize,
}

impl Parser {
    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |(_, at)| *at)
    }

    fn any(&mut self, depth: usize) -> Result<Node, Failure> {
        let mut nodes = vec![self.all(depth)?];
        while matches!(self.tokens.get(self.next), Some((Token::Or, _))) {
            self.next += 1;
            nodes.push(self.all(depth)?);
        }
        Ok(if nodes.len() == 1 { nodes.swap_remove(0) } else { Node::Or(nodes) })
    }

    fn all(&mut self, depth: usize) -> Result<Node, Failure> {
        let mut nodes = vec![self.one(depth)?];
        while !matches!(self.tokens.get(self.next), None | Some((Token::Or | Token::Close, _))) {
            nodes.push(self.one(depth)?);
        }
        Ok(if nodes.len() == 1 { nodes.swap_remove(0) } else { Node::And(nodes) })
    }

    fn one(&mut self, depth: usize) -> Result<Node, Failure> {
        let at = self.at();
        if depth > MAX_DEPTH {
            return Err((Problem::TooBig("deep"), at));
        }
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err((Problem::TooBig("big"), at));
        }
        let Some((token, _)) = self.tokens.get(self.next) else { return Err((Problem::MissingTerm, at)) };
        match token {
            Token::Or => Err((Problem::MissingTerm, at)),
            Token::Close => Err((Problem::MissingTerm, at)),
            Token::Not => {
                self.next += 1;
                Ok(Node::Not(Box::new(self.one(depth + 1)?)))
            }
            Token::Open => {
                self.next += 1;
                let inner = self.any(depth + 1)?;
                match self.tokens.get(self.next) {
                    Some((Token::Close, _)) => self.next += 1,
                    _ => return Err((Problem::Unclosed, at)),
                }
                Ok(inner)
            }
            Token::Word(word) if word == "all" => {
                self.next += 1;
                Ok(Node::All)
            }
            Token::Word(word) => Err((Problem::NotATerm(word.clone()), at)),
            Token::Term(field, value) => {
                let node = term(field, value).map_err(|problem| (problem, at))?;
                self.next += 1;
                Ok(node)
            }
        }
    }
}

fn term(field: &str, value: &str) -> Result<Node, Problem> {
    let field_of = |name: &str| {
        Some(match name {
            "id" => Field::Id,
            "name" => Field::Name,
            "tag" => Field::Tag,
            "os" => Field::Os,
            "state" => Field::State,
            "online" => Field::Online,
            _ => return None,
        })
    };
    let known = field_of(field).ok_or_else(|| Problem::UnknownField(field.into()))?;
    if value.is_empty() {
        return Err(Problem::NoValue(field.into()));
    }
    match known {
        Field::Id if value.parse::<uuid::Uuid>().is_err() => {
            Err(Problem::BadValue(value.into(), "a machine's id"))
        }
        Field::Online if !["yes", "no"].contains(&value) => Err(Problem::BadValue(value.into(), "yes or no")),
        _ => Ok(Node::Term(known, value.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn term(field: Field, value: &str) -> Node {
        Node::Term(field, value.into())
    }

    #[test]
    fn terms_combine_with_not_strongest_and_or_weakest() {
        let node = parse("os:debian not tag:web or (name:\"a b\" all)").expect("parses");
        let left = Node::And(vec![term(Field::Os, "debian"), Node::Not(Box::new(term(Field::Tag, "web")))]);
        assert_eq!(node, Node::Or(vec![left, Node::And(vec![term(Field::Name, "a b"), Node::All])]));
        assert_eq!(parse("  "), Ok(Node::All));
    }

    #[test]
    fn an_error_points_at_the_character() {
        let at = |text: &str| parse(text).map_err(|e| (e.at, e.problem)).expect_err("is wrong");
        assert_eq!(at("tag:a (os:b"), (7, Problem::Unclosed));
        assert_eq!(at("tag:a )"), (7, Problem::Unopened));
        assert_eq!(at("tag:a or"), (9, Problem::MissingTerm));
        assert_eq!(at("tag:a web"), (7, Problem::NotATerm("web".into())));
        assert_eq!(at("tga:a"), (1, Problem::UnknownField("tga".into())));
        assert_eq!(at("os:d tag:"), (6, Problem::NoValue("tag".into())));
        assert_eq!(at("id:7").0, 1);
        assert_eq!(at("name:\"x"), (6, Problem::OpenQuote));
        assert_eq!(at(&"(".repeat(100)).1, Problem::TooBig("deep"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[()\": a-z*orntg:]{0,80}|\\PC{0,40}") {
            let _ = parse(&text);
        }
    }
}
