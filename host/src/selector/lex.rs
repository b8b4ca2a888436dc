//! Tokens of a selector.

use super::problem::Problem;

/// A token and its place: first character and length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub kind: TokenKind,
    pub at: usize,
    pub length: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenKind {
    Open,
    Close,
    Not,
    And,
    Or,
    All,
    /// A word without field.
    Word(Raw),
    /// A term; the field in lower case.
    Term {
        field: String,
        operator: &'static str,
        values: Vec<Raw>,
    },
}

/// A value as written, without its quotes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Raw {
    pub text: String,
    pub at: usize,
    pub length: usize,
    /// Where an unquoted `..` stands, in bytes of `text`.
    pub range: Option<usize>,
    /// Whether any of it was quoted: then it is no operator, and may be empty.
    pub quoted: bool,
}

/// What is wrong, and where.
pub(super) type Failure = (Problem, usize, usize);

/// Operators, the longer ones first.
const OPERATORS: [&str; 7] = ["<=", ">=", "!=", ":", "=", "<", ">"];

pub(super) fn tokens(chars: &[char]) -> Result<Vec<Token>, Failure> {
    let (mut tokens, mut i) = (Vec::new(), 0);
    while i < chars.len() {
        let at = i;
        let kind = match chars[i] {
            c if c.is_whitespace() => {
                i += 1;
                continue;
            }
            '(' => single(&mut i, TokenKind::Open),
            ')' => single(&mut i, TokenKind::Close),
            '-' if chars.get(i + 1).is_some_and(|c| !c.is_whitespace() && *c != ')') => {
                single(&mut i, TokenKind::Not)
            }
            _ => word(chars, &mut i)?,
        };
        tokens.push(Token { kind, at, length: i - at });
    }
    Ok(tokens)
}

fn single(i: &mut usize, kind: TokenKind) -> TokenKind {
    *i += 1;
    kind
}

/// The field before an operator, and the operator.
pub(super) fn field(chars: &[char], at: usize) -> Option<(String, &'static str, usize)> {
    let part = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '%');
    let length = chars[at..].iter().take_while(|c| part(c)).count();
    let rest: String = chars[at + length..].iter().take(2).collect();
    let operator = *OPERATORS.iter().find(|o| rest.starts_with(**o)).filter(|_| length > 0)?;
    let name: String = chars[at..at + length].iter().collect();
    Some((name.to_lowercase(), operator, at + length + operator.len()))
}

fn word(chars: &[char], i: &mut usize) -> Result<TokenKind, Failure> {
    if let Some((field, operator, after)) = field(chars, *i) {
        *i = after;
        let mut values = vec![raw(chars, i, true)?];
        while chars.get(*i) == Some(&',') {
            *i += 1;
            values.push(raw(chars, i, true)?);
        }
        return Ok(TokenKind::Term { field, operator, values });
    }
    let word = raw(chars, i, false)?;
    Ok(match word.text.to_ascii_lowercase().as_str() {
        _ if word.quoted => TokenKind::Word(word),
        "not" => TokenKind::Not,
        "and" => TokenKind::And,
        "or" => TokenKind::Or,
        "all" => TokenKind::All,
        _ => TokenKind::Word(word),
    })
}

/// A value up to white space, a parenthesis or, in a list, a comma. Within quotes `\"` and `\\` stand for themselves.
fn raw(chars: &[char], i: &mut usize, list: bool) -> Result<Raw, Failure> {
    let at = *i;
    let mut raw = Raw { at, ..Raw::default() };
    while let Some(&c) = chars.get(*i) {
        match c {
            '"' => quoted(chars, i, &mut raw)?,
            c if c.is_whitespace() || c == '(' || c == ')' || (list && c == ',') => break,
            '.' if raw.range.is_none() && !raw.text.is_empty() && chars.get(*i + 1) == Some(&'.') => {
                raw.range = Some(raw.text.len());
                raw.text.push_str("..");
                *i += 2;
            }
            c => {
                raw.text.push(c);
                *i += 1;
            }
        }
    }
    raw.length = *i - at;
    Ok(raw)
}

fn quoted(chars: &[char], i: &mut usize, raw: &mut Raw) -> Result<(), Failure> {
    let start = *i;
    raw.quoted = true;
    *i += 1;
    loop {
        match (chars.get(*i), chars.get(*i + 1)) {
            (None, _) => return Err((Problem::OpenQuote, start, chars.len() - start)),
            (Some('"'), _) => break,
            (Some('\\'), Some(c @ ('"' | '\\'))) => {
                raw.text.push(*c);
                *i += 2;
            }
            (Some(c), _) => {
                raw.text.push(*c);
                *i += 1;
            }
        }
    }
    *i += 1;
    Ok(())
}
