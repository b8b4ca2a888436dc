//! Everything as JSON lines or CSV; open also while the licence only allows reading.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::{Stream, stream};
use plugin_sdk::{Ctx, Problem, Query};
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::runs::RunQuery;
use crate::{
    engine::Automation,
    error::Error,
    model::limits,
    permissions,
    store::{PageRequest, scripts},
    views::{RunView, ScriptView, VersionView},
};

/// Format of an export.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One JSON object a line.
    #[default]
    Jsonl,
    /// Comma-separated values with a header line, RFC 4180.
    Csv,
}

/// How to export.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// `jsonl` or `csv`.
    #[serde(default)]
    #[param(inline)]
    pub format: Format,
}

type Lines = Result<String, Error>;

/// Every script the caller may see: with all versions and their texts as JSON lines, one line a script as CSV.
#[utoipa::path(get, path = "/export/scripts", params(ExportQuery),
    responses((status = 200, content_type = "application/x-ndjson", body = String)),
    extensions(("x-permission" = json!("automation:scripts:read"))))]
pub async fn export_scripts(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Query(query): Query<ExportQuery>,
) -> Result<Response, Problem> {
    // Before the first byte: an answer that has begun cannot be refused any more.
    ctx.require(permissions::SCRIPTS_READ)?;
    let format = query.format;
    let first = PageRequest::new(Some(limits::PAGE), None);
    let lines = stream::try_unfold(Some(first), move |page| {
        let (engine, ctx) = (engine.clone(), ctx.clone());
        async move {
            let Some(page) = page else { return Ok(None) };
            let found = engine.service.list_scripts(&ctx, &scripts::Filter::default(), page).await?;
            let mut text = header_line(format, page, &SCRIPT_COLUMNS);
            for script in found.items {
                match format {
                    Format::Csv => text.push_str(&script_row(&script)),
                    Format::Jsonl => text.push_str(&script_line(&engine, &ctx, script).await?),
                }
            }
            Ok::<_, Error>(Some((text, next(found.next_cursor))))
        }
    });
    Ok(answer(format, "scripts", lines))
}

/// Every run the caller may see, with the filters of the list.
#[utoipa::path(get, path = "/export/runs", params(ExportQuery, RunQuery),
    responses((status = 200, content_type = "application/x-ndjson", body = String)),
    extensions(("x-permission" = json!("automation:runs:read"))))]
pub async fn export_runs(
    State(engine): State<Arc<Automation>>,
    ctx: Ctx,
    Query(export): Query<ExportQuery>,
    Query(query): Query<RunQuery>,
) -> Result<Response, Problem> {
    ctx.require(permissions::RUNS_READ)?;
    let format = export.format;
    let filter = Arc::new(query.filter()?);
    let first = PageRequest::new(Some(limits::PAGE), None);
    let lines = stream::try_unfold(Some(first), move |page| {
        let (engine, ctx, filter) = (engine.clone(), ctx.clone(), filter.clone());
        async move {
            let Some(page) = page else { return Ok(None) };
            let found = engine.service.list_runs(&ctx, &filter, page).await?;
            let mut text = header_line(format, page, &RUN_COLUMNS);
            for run in found.items {
                match format {
                    Format::Csv => text.push_str(&run_row(&run)),
                    Format::Jsonl => text.push_str(&format!("{}\n", json!(run))),
                }
            }
            Ok::<_, Error>(Some((text, next(found.next_cursor))))
        }
    });
    Ok(answer(format, "runs", lines))
}

fn next(cursor: Option<uuid::Uuid>) -> Option<PageRequest> {
    cursor.map(|after| PageRequest::new(Some(limits::PAGE), Some(after)))
}

fn answer(format: Format, name: &str, lines: impl Stream<Item = Lines> + Send + 'static) -> Response {
    let (kind, extension) = match format {
        Format::Jsonl => ("application/x-ndjson", "jsonl"),
        Format::Csv => ("text/csv; charset=utf-8", "csv"),
    };
    let disposition = format!("attachment; filename=\"{name}.{extension}\"");
    let headers = [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    (headers, Body::from_stream(lines)).into_response()
}

async fn script_line(engine: &Automation, ctx: &Ctx, script: ScriptView) -> Result<String, Error> {
    let mut versions: Vec<VersionView> = Vec::new();
    for number in 1..=script.latest_version {
        versions.push(engine.service.get_version(ctx, script.id, number).await?);
    }
    let mut line = json!(script);
    line["versions"] = json!(versions);
    Ok(format!("{line}\n"))
}

const SCRIPT_COLUMNS: [&str; 10] = [
    "id",
    "name",
    "description",
    "owner",
    "tags",
    "interpreter",
    "privileged",
    "latest_version",
    "archived_at",
    "updated_at",
];

fn script_row(s: &ScriptView) -> String {
    row(&[
        &s.id.to_string(),
        &s.name,
        &s.description,
        &s.owner,
        &s.tags.join(" "),
        &s.interpreter,
        &s.privileged.to_string(),
        &s.latest_version.to_string(),
        &s.archived_at.map(|t| t.to_rfc3339()).unwrap_or_default(),
        &s.updated_at.to_rfc3339(),
    ])
}

const RUN_COLUMNS: [&str; 16] = [
    "id",
    "script_id",
    "script_name",
    "version",
    "state",
    "actor",
    "targets",
    "succeeded",
    "failed",
    "timed_out",
    "no_answer",
    "never_dispatched",
    "cancelled",
    "created_at",
    "finished_at",
    "reason",
];

fn run_row(r: &RunView) -> String {
    let count = |state: &str| r.counts.get(state).copied().unwrap_or(0).to_string();
    row(&[
        &r.id.to_string(),
        &r.script_id.to_string(),
        &r.script_name,
        &r.version.to_string(),
        &r.state,
        &r.actor,
        &r.targets.to_string(),
        &count("succeeded"),
        &count("failed"),
        &count("timed_out"),
        &count("no_answer"),
        &count("never_dispatched"),
        &count("cancelled"),
        &r.created_at.to_rfc3339(),
        &r.finished_at.map(|t| t.to_rfc3339()).unwrap_or_default(),
        r.reason.as_deref().unwrap_or_default(),
    ])
}

fn header_line(format: Format, page: PageRequest, columns: &[&str]) -> String {
    match (format, page.after) {
        (Format::Csv, None) => row(columns),
        _ => String::new(),
    }
}

/// A line of CSV. A cell that a spreadsheet would take for a formula gets a leading apostrophe.
fn row(cells: &[&str]) -> String {
    let cell = |text: &&str| {
        let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
        let text = format!("{guard}{text}");
        match text.contains([',', '"', '\n', '\r']) {
            true => format!("\"{}\"", text.replace('"', "\"\"")),
            false => text,
        }
    };
    cells.iter().map(cell).collect::<Vec<_>>().join(",") + "\r\n"
}

#[cfg(test)]
mod tests {
    use super::row;

    #[test]
    fn cells_are_quoted_and_formulas_are_text() {
        assert_eq!(row(&["a", "b,\"c\"", "=1+1", "x\ny"]), "a,\"b,\"\"c\"\"\",'=1+1,\"x\ny\"\r\n");
    }
}
