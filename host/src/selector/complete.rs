//! What could be written next: fields, words, and values that machines within the actor's reach have.

use sea_orm::{
    ConnectionTrait, DbErr,
    sea_query::{Alias, Expr, ExprTrait, LikeExpr, Order, Query, SelectStatement},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Env, FIELDS, Field, Kind, Value, compile::lower, glob::Glob, inventory::item_kind, lex, parse::MAX_CHARS,
};
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
        (Kind::Past | Kind::Ahead | Kind::Span, _) => fixed(vec!["1h", "1d", "7d", "30d"]),
        (Kind::Service(states), _) if begun.contains('=') => {
            let (name, _) = begun.split_once('=').unwrap_or((begun, ""));
            let states = states.iter().map(|state| format!("{name}={state}")).collect::<Vec<_>>();
            fixed(states.iter().map(String::as_str).collect())
        }
        (_, Field::Package) => titles(db, env, scope, begun).await?,
        (Kind::Service(_) | Kind::Text, field) if item_kind(field).is_some() => {
            items(db, env, scope, item_kind(field).unwrap_or_default(), begun).await?
        }
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
    let mut query = Query::select();
    query.from("machines");
    if table != "machines" {
        query.inner_join(table, Expr::col((table, "machine_id")).equals(("machines", "id")));
    }
    query.cond_where(scope.condition(env));
    counted(db, env, query, (table, column), begun).await
}

/// The same of the names of one kind of item.
async fn items(
    db: &impl ConnectionTrait,
    env: &Env,
    scope: &Scope,
    kind: &'static str,
    begun: &str,
) -> Result<Vec<Suggestion>, DbErr> {
    let mut query = Query::select();
    query
        .from("machines")
        .inner_join("machine_items", Expr::col(("machine_items", "machine_no")).equals(("machines", "no")))
        .and_where(Expr::col(("machine_items", "kind")).eq(kind))
        .cond_where(scope.condition(env));
    counted(db, env, query, ("machine_items", "name"), begun).await
}

/// Names of packages that begin so. A scope that is not everything counts within itself, and so names nothing else.
async fn titles(
    db: &impl ConnectionTrait,
    env: &Env,
    scope: &Scope,
    begun: &str,
) -> Result<Vec<Suggestion>, DbErr> {
    let name = ("software_titles", "name");
    let mut query = Query::select();
    query.from("software_titles");
    // Bounds, so that few titles are followed to their machines.
    if let Some((from, to)) = Glob::new(&format!("{begun}*")).bounds() {
        let lower = || lower(name.0, name.1, env.backend);
        query.and_where(lower().gte(from)).and_where(lower().lt(to));
    }
    if *scope != Scope::All {
        query
            .inner_join("software", Expr::col(("software", "title_id")).equals(("software_titles", "id")))
            .inner_join(
                "machine_software",
                Expr::col(("machine_software", "entry_id")).equals(("software", "id")),
            )
            .inner_join("machines", Expr::col(("machines", "no")).equals(("machine_software", "machine_no")))
            .cond_where(scope.condition(env));
        return counted(db, env, query, name, begun).await;
    }
    query
        .expr_as(Expr::col(name), Alias::new("v"))
        .expr_as(Expr::col(("software_titles", "machines")).cast_as(Alias::new("bigint")), Alias::new("n"))
        .and_where(lower(name.0, name.1, env.backend).like(begins(begun)))
        .and_where(Expr::col(("software_titles", "machines")).gt(0))
        .order_by(("software_titles", "machines"), Order::Desc)
        .order_by(name, Order::Asc)
        .limit(MOST);
    shown(db, &query).await
}

fn begins(begun: &str) -> LikeExpr {
    LikeExpr::new(Glob::new(&begun.replace(['*', '?'], "")).like() + "%").escape('\\')
}

/// Values of a column of `query`'s machines that begin so, with how many machines have them.
async fn counted(
    db: &impl ConnectionTrait,
    env: &Env,
    mut query: SelectStatement,
    (table, column): (&'static str, &'static str),
    begun: &str,
) -> Result<Vec<Suggestion>, DbErr> {
    query
        .expr_as(Expr::col((table, column)), Alias::new("v"))
        .expr_as(Expr::col(("machines", "id")).count_distinct(), Alias::new("n"))
        .and_where(lower(table, column, env.backend).like(begins(begun)))
        .and_where(Expr::col((table, column)).ne(""))
        .group_by_col((table, column))
        .order_by(Alias::new("n"), Order::Desc)
        .order_by((table, column), Order::Asc)
        .limit(MOST);
    shown(db, &query).await
}

async fn shown(db: &impl ConnectionTrait, query: &SelectStatement) -> Result<Vec<Suggestion>, DbErr> {
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
    db.query_all(query).await?.iter().map(shown).collect()
}
