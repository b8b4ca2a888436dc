//! `/api/v1/selector`: help, completion and checking of selectors.

use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{FIELDS, Kind, complete::Completion};
use crate::{
    app::App,
    ctx::Ctx,
    http::Json,
    problem::{Problem, ProblemBody},
};

/// Routes of this slice.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(fields)).routes(routes!(complete)).routes(routes!(check))
}

/// A field of the selector language.
#[derive(Debug, Serialize, ToSchema)]
pub struct SelectorField {
    /// As it is written.
    name: String,
    /// `text`, `version`, `choice`, `address`, `number`, `size`, `time`, `id` or `search`.
    kind: String,
    /// What it is.
    help: String,
    /// Operators that it takes.
    operators: Vec<String>,
    /// Values that it has, when there are only these.
    values: Vec<String>,
    /// What a value looks like.
    expects: String,
    /// Terms to learn from.
    examples: Vec<String>,
}

/// Fields that a selector can look at.
#[utoipa::path(get, path = "/api/v1/selector/fields", tag = "selector", operation_id = "list_selector_fields",
    extensions(("x-permission" = json!("machines:read"))), responses((status = 200, body = Vec<SelectorField>)))]
async fn fields(ctx: Ctx) -> Result<Json<Vec<SelectorField>>, Problem> {
    ctx.require("machines:read")?;
    let owned = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect();
    let shown = FIELDS.iter().map(|f| SelectorField {
        name: f.name.into(),
        kind: f.kind.name().into(),
        help: f.help.into(),
        operators: owned(f.kind.operators()),
        values: match f.kind {
            Kind::Choice(words) => owned(words),
            _ => Vec::new(),
        },
        expects: f.kind.expected(),
        examples: owned(f.examples),
    });
    Ok(Json(shown.collect()))
}

/// A selector being written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteSelector {
    /// The text so far.
    text: String,
    /// Where the next character goes, counted from 0; the end when absent.
    cursor: Option<usize>,
}

/// What could be written next.
#[utoipa::path(post, path = "/api/v1/selector/complete", tag = "selector", operation_id = "complete_selector",
    extensions(("x-permission" = json!("machines:read"))), request_body = CompleteSelector,
    responses((status = 200, body = Completion)))]
async fn complete(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Json(body): Json<CompleteSelector>,
) -> Result<Json<Completion>, Problem> {
    let cursor = body.cursor.unwrap_or(usize::MAX);
    Ok(Json(app.selectors.complete(&ctx, &body.text, cursor).await?))
}

/// A selector to check.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckSelector {
    /// The selector.
    text: String,
}

/// What is to say of a selector.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckedSelector {
    /// Whether it can be used.
    valid: bool,
    /// The one way to write it.
    canonical: Option<String>,
    /// Machines within the caller's reach that it selects.
    machines: Option<u64>,
    /// What is wrong: `detail`, `reason`, `at` (from 1), `length`, `expected`, `suggestion`.
    #[schema(value_type = Option<Object>)]
    problem: Option<Map<String, Value>>,
}

/// Check a selector: what is wrong with it, or how many machines it selects.
#[utoipa::path(post, path = "/api/v1/selector/check", tag = "selector", operation_id = "check_selector",
    extensions(("x-permission" = json!("machines:read"))), request_body = CheckSelector,
    responses((status = 200, body = CheckedSelector), (status = 403, body = ProblemBody)))]
async fn check(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Json(body): Json<CheckSelector>,
) -> Result<Json<CheckedSelector>, Problem> {
    match app.selectors.check(&ctx, &body.text).await {
        Ok(checked) => Ok(Json(CheckedSelector {
            valid: true,
            canonical: Some(checked.canonical),
            machines: Some(checked.machines),
            problem: None,
        })),
        Err(problem) if problem.code == "bad_selector" => {
            let mut shown = problem.extras;
            shown.insert("detail".into(), problem.detail.into());
            Ok(Json(CheckedSelector { valid: false, canonical: None, machines: None, problem: Some(shown) }))
        }
        Err(problem) => Err(problem),
    }
}
