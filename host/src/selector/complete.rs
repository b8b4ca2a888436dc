//! What could be written next: fields, words, and values that machines within the actor's reach have.

use sea_orm::{
    ConnectionTrait, DbErr,
    sea_query::{Alias, Expr, ExprTrait, LikeExpr, Order, Query},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Env, FIELDS, Field, Kind, Value, compile::lower, glob::Glob, lex, parse::MAX_CHARS};
use crate::ctx::Scope;

const MOST: u64 = 20;

/// What could stand in a part of a selector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Completion {
    /// First character to replace, counted from 0.
    pub from: usize,
    /// Character after the last to replace.
    pub to: usize,
    /// At most twenty, the likeliest first.
    pub suggestions: Vec<Suggestion>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Suggestion {
    /// Text to put there.
    pub text: String,
    /// `field`, `word` or `value`.
    pub kind: String,
    /// What it is.
    pub help: String,
    /// Machines that have the value.
    pub machines: Option<u64>,
}

fn suggestion(text: impl Into<String>, kind: &str, help: &str) -> Suggestion {
    Suggestion { text: text.into(), kind: kind.into(), help: help.into(), machines: None }
}

pub(super) async fn complete(
    db: &impl ConnectionTrait,
    env: &Env,
    scope: &Scope,
    searches: &[String],
    text: &str,
    cursor: usize,
) -> Result<Completion, DbErr> {
    let chars: Vec<char> = text.chars().take(MAX_CHARS).collect();
    let to = cursor.min(chars.len());
    let start = start_of_word(&chars[..to]);
    let term =
        lex::field(&chars[..to], start).and_then(|(name, _, after)| Some((Field::named(&name)?, after)));
    let (from, suggestions) = match term {
        None => (start, words(&chars[start..to].iter().collect::<String>())),
        Some((field, after)) => {
            let from = chars[after..to].iter().rposition(|c| *c == ',').map_or(after, |i| after + i + 1);
            let begun: String = chars[from..to].iter().filter(|c| **c != '"').collect();
            (from, values(db, env, scope, searches, field, &begun).await?)
        }
    };
    Ok(Completion { from, to, suggestions })
}

/// Where the word begins that the text ends in. A minus before it is not part of it.
fn start_of_word(chars: &[char]) -> usize {
    let (mut start, mut quoted) = (0, false);
    for (i, c) in chars.iter().enumerate() {
        match c {
            '"' => quoted = !quoted,
            c if !quoted && (c.is_whitespace() || matches!(c, '(' | ')')) => start = i + 1,
            _ => {}
        }
    }
    start + chars[start..].iter().take_while(|c| **c == '-').count()
}

fn words(begun: &str) -> Vec<Suggestion> {
    let begun = begun.to_lowercase();
    let fields = FIELDS.iter().filter(|f| f.name.starts_with(&begun)).map(|f| {
        let operator = if f.kind.operators().contains(&"!=") { ":" } else { "<" };
        suggestion(format!("{}{operator}", f.name), "field", f.help)
    });
    let keywords = [("not ", "not what follows"), ("or ", "one of both"), ("all", "every machine")];
    let keywords = keywords.iter().filter(|(w, _)| w.starts_with(&begun) && !begun.is_empty());
    fields.chain(keywords.map(|(word, help)| suggestion(*word, "word", help))).take(MOST as usize).collect()
}

async fn values(
    db: &impl ConnectionTrait,
    env: &Env,
    scope: &Scope,
    searches: &[String],
    field: Field,
    begun: &str,
) -> Result<Vec<Suggestion>, DbErr> {
    let fixed = |words: Vec<&str>| {
        let begins = words.into_iter().filter(|w| w.starts_with(&begun.to_lowercase()));
        begins.take(MOST as usize).map(|w| suggestion(w, "value", "")).collect()
    };
    Ok(match (field.spec().kind, field) {
        (Kind::Choice(words), _) => fixed(words.to_vec()),
        (Kind::Search, _) => fixed(searches.iter().map(String::as_str).collect()),
        (Kind::Past, _) => fixed(vec!["1h", "1d", "7d", "30d"]),
        (_, Field::Tag) => known(db, env, scope, ("machine_tags", "tag"), begun).await?,
        (_, Field::Has) => known(db, env, scope, ("inventory_sections", "name"), begun).await?,
        (_, Field::Address) => known(db, env, scope, ("machine_addresses", "address"), begun).await?,
        _ => match column(field) {
            Some(column) => known(db, env, scope, ("machines", column), begun).await?,
            None => field.spec().examples.iter().map(|e| suggestion(value_of(e), "value", "")).collect(),
        },
    })
}

/// The part of an example after its operator.
fn value_of(example: &str) -> String {
    example
        .trim_start_matches(|c: char| !matches!(c, ':' | '<' | '>'))
        .trim_start_matches([':', '<', '>', '='])
        .into()
}

fn column(field: Field) -> Option<&'static str> {
    Some(match field {
        Field::Name => "name",
        Field::Hostname => "hostname",
        Field::Os => "os_id",
        Field::OsVersion => "os_version",
        Field::Kernel => "kernel",
        Field::Arch => "arch",
        Field::AgentVersion => "agent_version",
        _ => return None,
    })
}

/// Values of a column that begin so, with how many machines within the scope have them.
async fn known(
    db: &impl ConnectionTrait,
    env: &Env,
    scope: &Scope,
    (table, column): (&'static str, &'static str),
    begun: &str,
) -> Result<Vec<Suggestion>, DbErr> {
    let pattern = Glob::new(&begun.replace(['*', '?'], "")).like() + "%";
    let mut query = Query::select();
    query
        .expr_as(Expr::col((table, column)), Alias::new("v"))
        .expr_as(Expr::col(("machines", "id")).count(), Alias::new("n"))
        .from("machines");
    if table != "machines" {
        query.inner_join(table, Expr::col((table, "machine_id")).equals(("machines", "id")));
    }
    query
        .cond_where(scope.condition(env))
        .and_where(lower(table, column, env.backend).like(LikeExpr::new(pattern).escape('\\')))
        .and_where(Expr::col((table, column)).ne(""))
        .group_by_col((table, column))
        .order_by(Alias::new("n"), Order::Desc)
        .order_by((table, column), Order::Asc)
        .limit(MOST);
    let rows = db.query_all(&query).await?;
    let shown = |row: &sea_orm::QueryResult| {
        let value: String = row.try_get("", "v")?;
        let machines: i64 = row.try_get("", "n")?;
        Ok(Suggestion {
            text: Value::Text(value).to_string(),
            kind: "value".into(),
            help: String::new(),
            machines: machines.try_into().ok(),
        })
    };
    rows.iter().map(shown).collect()
}
