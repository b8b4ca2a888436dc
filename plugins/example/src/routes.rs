//! HTTP: translates, decides nothing.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use chrono::{DateTime, Utc};
use plugin_sdk::{Ctx, Json, OpenApiRouter, Path, Problem, Query, routes};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{engine::Example, entities::note::Model, service::Draft};

type Engine = State<Arc<Example>>;

/// Every route of the notes.
pub fn router() -> OpenApiRouter<Arc<Example>> {
    OpenApiRouter::new()
        .routes(routes!(list_notes, create_note))
        .routes(routes!(export_notes))
        .routes(routes!(get_note, update_note, delete_note))
        .routes(routes!(send_greeting))
}

/// A note.
#[derive(Serialize, ToSchema)]
struct Note {
    id: Uuid,
    title: String,
    body: String,
    done: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Model> for Note {
    fn from(m: Model) -> Self {
        let Model { id, title, body, done, created_at, updated_at } = m;
        Self { id, title, body, done, created_at, updated_at }
    }
}

/// What a note shall hold.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NoteDraft {
    /// 1 to 200 characters, unique.
    title: String,
    #[serde(default)]
    body: String,
    #[serde(default)]
    done: bool,
}

impl From<NoteDraft> for Draft {
    fn from(d: NoteDraft) -> Self {
        Self { title: d.title, body: d.body, done: d.done }
    }
}

/// A page of notes, oldest first.
#[derive(Serialize, ToSchema)]
struct NotePage {
    notes: Vec<Note>,
    /// All there are.
    total: u64,
    /// `after` of the next page.
    next: Option<Uuid>,
}

/// Which page.
#[derive(Deserialize, IntoParams)]
struct PageQuery {
    /// Continue after this note.
    after: Option<Uuid>,
    /// At most so many: 1 to 500, else 50.
    limit: Option<u64>,
}

/// List notes.
#[utoipa::path(get, path = "/notes", params(PageQuery), responses((status = 200, body = NotePage)),
    extensions(("x-permission" = json!("example:notes:read"))))]
async fn list_notes(
    State(engine): Engine,
    ctx: Ctx,
    Query(page): Query<PageQuery>,
) -> Result<Json<NotePage>, Problem> {
    let limit = page.limit.unwrap_or(50).clamp(1, 500);
    let (notes, total) = engine.notes.list(&ctx, page.after, limit).await?;
    let full = u64::try_from(notes.len()).is_ok_and(|n| n == limit);
    let next = notes.last().filter(|_| full).map(|note| note.id);
    Ok(Json(NotePage { notes: notes.into_iter().map(Note::from).collect(), total, next }))
}

/// Create a note.
#[utoipa::path(post, path = "/notes", request_body = NoteDraft, responses((status = 201, body = Note)),
    extensions(("x-permission" = json!("example:notes:write"))))]
async fn create_note(
    State(engine): Engine,
    ctx: Ctx,
    Json(draft): Json<NoteDraft>,
) -> Result<(StatusCode, Json<Note>), Problem> {
    let note = engine.notes.create(&ctx, draft.into()).await?;
    Ok((StatusCode::CREATED, Json(note.into())))
}

/// Export all notes as JSON lines.
#[utoipa::path(get, path = "/notes/export", responses((status = 200, content_type = "application/x-ndjson")),
    extensions(("x-permission" = json!("example:notes:read"))))]
async fn export_notes(State(engine): Engine, ctx: Ctx) -> Result<impl IntoResponse, Problem> {
    let notes = engine.notes.export(&ctx).await?;
    let lines =
        notes.into_iter().map(|note| serde_json::to_string(&Note::from(note)).map(|line| line + "\n"));
    let text = lines.collect::<Result<String, _>>().map_err(|e| Problem::internal(&e))?;
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], text))
}

/// Get a note.
#[utoipa::path(get, path = "/notes/{id}", params(("id" = Uuid, Path)), responses((status = 200, body = Note)),
    extensions(("x-permission" = json!("example:notes:read"))))]
async fn get_note(State(engine): Engine, ctx: Ctx, Path(id): Path<Uuid>) -> Result<Json<Note>, Problem> {
    Ok(Json(engine.notes.get(&ctx, id).await?.into()))
}

/// Replace a note.
#[utoipa::path(put, path = "/notes/{id}", params(("id" = Uuid, Path)), request_body = NoteDraft,
    responses((status = 200, body = Note)),
    extensions(("x-permission" = json!("example:notes:write"))))]
async fn update_note(
    State(engine): Engine,
    ctx: Ctx,
    Path(id): Path<Uuid>,
    Json(draft): Json<NoteDraft>,
) -> Result<Json<Note>, Problem> {
    Ok(Json(engine.notes.update(&ctx, id, draft.into()).await?.into()))
}

/// Delete a note.
#[utoipa::path(delete, path = "/notes/{id}", params(("id" = Uuid, Path)), responses((status = 204)),
    extensions(("x-permission" = json!("example:notes:write"))))]
async fn delete_note(State(engine): Engine, ctx: Ctx, Path(id): Path<Uuid>) -> Result<StatusCode, Problem> {
    engine.notes.delete(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whom to greet, and where.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Greeting {
    name: String,
    /// Machines, e.g. `tag:web`.
    selector: String,
}

/// The operation that was started.
#[derive(Serialize, ToSchema)]
struct Started {
    operation_id: String,
}

/// Greet machines.
#[utoipa::path(post, path = "/greetings", request_body = Greeting, responses((status = 202, body = Started)),
    extensions(("x-permission" = json!("example:greetings:send"))))]
async fn send_greeting(
    State(engine): Engine,
    ctx: Ctx,
    Json(greeting): Json<Greeting>,
) -> Result<(StatusCode, Json<Started>), Problem> {
    let operation = engine.notes.greet(&ctx, &greeting.name, &greeting.selector).await?;
    Ok((StatusCode::ACCEPTED, Json(Started { operation_id: operation.id })))
}
