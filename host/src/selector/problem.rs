//! What can be wrong with a selector, where, and what was meant instead.

use http::StatusCode;
use serde_json::{Map, Value};

use super::fields::FIELDS;
use crate::problem::SliceError;

/// Why a selector does not parse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Longer, deeper or with more terms than allowed.
    #[error("the selector is too {0}")]
    TooBig(&'static str),
    /// The selector ends where a term should begin, or an operator stands there.
    #[error("a term is missing")]
    MissingTerm,
    /// An opening parenthesis without its closing one.
    #[error("this parenthesis is not closed")]
    Unclosed,
    /// A closing parenthesis too many.
    #[error("this parenthesis closes nothing")]
    Unopened,
    /// A field that does not exist.
    #[error("there is no field `{0}`")]
    UnknownField(String),
    /// A field without value.
    #[error("the field `{0}` has no value")]
    NoValue(String),
    /// A test that the field does not take.
    #[error("`{0}` does not take `{1}`")]
    BadOperator(String, &'static str),
    /// A value that the field cannot have.
    #[error("`{0}` is not {1}")]
    BadValue(String, String),
    /// A quoted value that does not end.
    #[error("this quote is not closed")]
    OpenQuote,
    /// No such saved search, or it belongs to somebody else.
    #[error("there is no saved search `{0}`, or it is not shared with you")]
    UnknownSearch(String),
    /// A saved search that refers to itself.
    #[error("the saved search `{0}` refers to itself")]
    SearchCycle(String),
}

/// A selector that does not parse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at character {at} of `{text}`{}", hint(.problem, .suggestion))]
pub struct SelectorError {
    /// What is wrong.
    pub problem: Problem,
    /// Where it begins, counted in characters from 1.
    pub at: usize,
    /// How many characters are wrong, 0 where something is missing.
    pub length: usize,
    /// What was meant, perhaps.
    pub suggestion: Option<Box<str>>,
    /// The selector.
    pub text: Box<str>,
}

fn hint(problem: &Problem, suggestion: &Option<Box<str>>) -> String {
    match (suggestion, problem.expected().as_str()) {
        (Some(suggestion), _) => format!("; did you mean `{suggestion}`?"),
        (None, "") => String::new(),
        (None, expected) => format!("; expected {expected}"),
    }
}

impl Problem {
    /// What could stand in the place of what is wrong.
    pub fn expected(&self) -> String {
        match self {
            Self::MissingTerm => "a term such as `os:debian`, or a word of the machine's name".into(),
            Self::Unclosed => "`)` further on".into(),
            Self::UnknownField(_) => {
                let names: Vec<&str> = FIELDS.iter().map(|f| f.name).collect();
                format!("one of {}", names.join(", "))
            }
            Self::NoValue(field) => super::fields::Field::named(field)
                .map_or_else(|| "a value".into(), |f| f.spec().kind.expected()),
            Self::BadOperator(field, _) => super::fields::Field::named(field)
                .map_or_else(String::new, |f| format!("one of {}", f.spec().kind.operators().join(" "))),
            Self::OpenQuote => "`\"` further on".into(),
            _ => String::new(),
        }
    }

    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooBig(_) => "too_big",
            Self::MissingTerm => "missing_term",
            Self::Unclosed => "unclosed_parenthesis",
            Self::Unopened => "unopened_parenthesis",
            Self::UnknownField(_) => "unknown_field",
            Self::NoValue(_) => "no_value",
            Self::BadOperator(..) => "bad_operator",
            Self::BadValue(..) => "bad_value",
            Self::OpenQuote => "open_quote",
            Self::UnknownSearch(_) => "unknown_search",
            Self::SearchCycle(_) => "search_cycle",
        }
    }
}

impl SliceError for SelectorError {
    fn status(&self) -> StatusCode {
        StatusCode::UNPROCESSABLE_ENTITY
    }

    fn code(&self) -> &'static str {
        "bad_selector"
    }

    fn extras(&self) -> Map<String, Value> {
        Map::from_iter([
            ("at".into(), self.at.into()),
            ("length".into(), self.length.into()),
            ("reason".into(), self.problem.code().into()),
            ("expected".into(), self.problem.expected().into()),
            ("suggestion".into(), self.suggestion.as_deref().into()),
        ])
    }
}

/// The candidate that differs least from `word`, when it is near enough to be a slip.
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = (word.chars().count() / 3).clamp(1, 3);
    let scored = candidates.into_iter().map(|c| (distance(word, c), c));
    scored.filter(|(d, _)| *d <= most).min_by_key(|(d, _)| *d).map(|(_, c)| c)
}

/// Letters to insert, delete, replace or swap with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(40).collect(), b.chars().take(40).collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = least;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let names = ["tag", "name", "os.version"];
        assert_eq!(nearest("tga", names), Some("tag"));
        assert_eq!(nearest("os.verison", names), Some("os.version"));
        assert_eq!(nearest("memory", names), None);
    }
}
