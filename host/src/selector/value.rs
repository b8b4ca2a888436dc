//! Values: read from text, and written in one way only.

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, Utc};

use super::{
    ast::{Op, Part, Value},
    net::Net,
};

const SIZES: [(&str, i64); 13] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("T", 1 << 40),
    ("G", 1 << 30),
    ("M", 1 << 20),
    ("K", 1 << 10),
    ("B", 1),
];
const SPANS: [(&str, i64); 5] = [("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)];
/// A hundred years.
const MOST_SECONDS: i64 = 100 * 366 * 86_400;
const MOST_NUMBER: i64 = 1_000_000_000_000_000;

/// Text without control characters, which databases and terminals do not take.
pub(super) fn text(text: &str) -> Result<Value, String> {
    match text.chars().any(char::is_control) {
        true => Err("text without control characters".into()),
        false => Ok(Value::Text(text.into())),
    }
}

pub(super) fn choice(words: &[&'static str], text: &str) -> Option<Value> {
    let text = match text.to_ascii_lowercase().as_str() {
        "true" => "yes".to_owned(),
        "false" => "no".to_owned(),
        other => other.to_owned(),
    };
    words.iter().find(|w| **w == text).map(|w| Value::Choice(w))
}

pub(super) fn address(text: &str) -> Option<Value> {
    if let Some(net) = Net::parse(text) {
        return Some(Value::Net(net));
    }
    let pattern = text.contains(['*', '?'])
        && text.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, '*' | '?' | '.' | ':'));
    pattern.then(|| Value::Text(text.to_ascii_lowercase()))
}

/// Thousandths.
pub(super) fn number(text: &str) -> Option<i64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let (minus, whole) = whole.strip_prefix('-').map_or((1, whole), |w| (-1, w));
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || decimals.len() > 3 {
        return None;
    }
    let whole: i64 = whole.parse().ok().filter(|n| *n <= MOST_NUMBER)?;
    let decimals: i64 = format!("{decimals:0<3}").parse().ok()?;
    Some(minus * (whole * 1000 + decimals))
}

pub(super) fn bytes(text: &str) -> Option<i64> {
    let unit = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (amount, unit) = text.split_at(unit);
    let factor = match unit {
        "" => 1,
        unit => SIZES.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?.1,
    };
    let thousandths = i128::from(number(amount).filter(|n| *n >= 0)?);
    i64::try_from(thousandths * i128::from(factor) / 1000).ok()
}

/// Seconds.
pub(super) fn span(text: &str) -> Option<i64> {
    let (amount, unit) = text.split_at(text.len().checked_sub(1).filter(|i| text.is_char_boundary(*i))?);
    let factor = SPANS.iter().find(|(name, _)| *name == unit)?.1;
    let thousandths = number(amount).filter(|n| *n >= 0)?;
    thousandths.checked_mul(factor).map(|n| n / 1000).filter(|n| *n <= MOST_SECONDS)
}

pub(super) fn instant(text: &str) -> Option<DateTime<Utc>> {
    let at = match text.parse::<NaiveDate>() {
        Ok(date) => date.and_time(NaiveTime::MIN).and_utc(),
        Err(_) => DateTime::parse_from_rfc3339(text).ok()?.to_utc(),
    };
    let year = chrono::Datelike::year(&at);
    // Whole seconds: databases differ in what they keep below.
    DateTime::from_timestamp(at.timestamp(), 0).filter(|_| (1970..=9999).contains(&year))
}

/// A name with, perhaps, a version on one side of another, or one of `states`.
pub(super) fn part(text: &str, states: Option<&[&str]>) -> Option<Part> {
    let Some(at) = text.find(['<', '>', '=']) else { return named(text, None) };
    let (name, rest) = text.split_at(at);
    let operators = [
        ("<=", Some(Op::AtMost)),
        (">=", Some(Op::AtLeast)),
        ("<", Some(Op::Less)),
        (">", Some(Op::More)),
        ("=", None),
    ];
    let (op, rest) = operators.iter().find_map(|(text, op)| Some((*op, rest.strip_prefix(text)?)))?;
    let good = match (states, op) {
        (Some(states), None) => states.contains(&rest),
        (Some(_), Some(_)) => false,
        // A version on one side of a pattern means nothing.
        (None, Some(_)) => !rest.contains(['*', '?']),
        (None, None) => true,
    };
    let whole = !rest.is_empty() && !rest.contains(['<', '>', '=']);
    (good && whole).then(|| named(name, Some((op, rest.to_owned()))))?
}

fn named(name: &str, rest: Option<(Option<Op>, String)>) -> Option<Part> {
    let clean = |text: &str| !text.chars().any(char::is_control);
    let sound = !name.is_empty() && clean(name) && rest.as_ref().is_none_or(|(_, rest)| clean(rest));
    sound.then(|| Part { name: name.to_owned(), rest })
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some((op, rest)) = &self.rest else { return Value::Text(self.name.clone()).fmt(f) };
        let op = match op {
            None => "=",
            Some(Op::Less) => "<",
            Some(Op::AtMost) => "<=",
            Some(Op::More) => ">",
            Some(Op::AtLeast) => ">=",
        };
        match plain(&self.name) && plain(rest) {
            true => write!(f, "{}{op}{rest}", self.name),
            false => write!(f, "\"{}\"", escaped(&format!("{}{op}{rest}", self.name))),
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// Whether a saved search may have this name.
pub fn is_search_name(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    (1..=64).contains(&name.len()) && name.bytes().all(allowed)
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) if plain(text) => f.write_str(text),
            Self::Text(text) => write!(f, "\"{}\"", escaped(text)),
            Self::Part(part) => part.fmt(f),
            Self::Id(id) => write!(f, "{id}"),
            Self::Choice(word) => f.write_str(word),
            Self::Number(n) => {
                let sign = if *n < 0 { "-" } else { "" };
                let (whole, rest) = (n.abs() / 1000, n.abs() % 1000);
                match rest {
                    0 => write!(f, "{sign}{whole}"),
                    _ => write!(f, "{sign}{whole}.{}", format!("{rest:03}").trim_end_matches('0')),
                }
            }
            Self::Bytes(n) => unit(f, *n, &SIZES[..4], "B"),
            Self::Span(n) => unit(f, *n, &SPANS, "s"),
            Self::At(at) if at.time() == NaiveTime::MIN => write!(f, "{}", at.date_naive()),
            Self::At(at) => f.write_str(&at.to_rfc3339_opts(SecondsFormat::Secs, true)),
            Self::Net(net) => write!(f, "{net}"),
        }
    }
}

/// The amount in the largest unit that divides it.
fn unit(f: &mut std::fmt::Formatter<'_>, n: i64, units: &[(&str, i64)], base: &str) -> std::fmt::Result {
    match units.iter().find(|(_, factor)| n != 0 && n % factor == 0) {
        Some((name, factor)) => write!(f, "{}{name}", n / factor),
        None => write!(f, "{n}{base}"),
    }
}

/// Whether text reads the same without quotes.
fn plain(text: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || "_-*?%/:@+~.".contains(c);
    !text.is_empty()
        && text.chars().all(allowed)
        && !text.contains("..")
        && !text.starts_with('.')
        && !text.ends_with('.')
}
