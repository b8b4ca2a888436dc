//! `Idempotency-Key`: a POST that is sent again gets the first answer again, and does nothing twice.
//!
//! For JSON bodies. The answer is kept for a day, sealed, because it may hold a secret.

use std::sync::Arc;

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use chrono::Duration;
use data_encoding::HEXLOWER;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, SqlErr, entity::prelude::Expr};

use crate::{app::App, ctx::Ctx, problem::Problem};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const MAX_ANSWER_BYTES: usize = 1024 * 1024;
/// Answers are kept this long.
pub const KEPT_FOR: Duration = Duration::hours(24);

pub mod entity {
    //! Table `idempotency_keys`.
    use sea_orm::entity::prelude::*;

    /// A key, and its answer once there is one.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "idempotency_keys")]
    #[allow(missing_docs)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub actor: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub key: String,
        pub request_hash: String,
        pub status: Option<i32>,
        pub sealed_response: Option<Vec<u8>>,
        pub created_at: ChronoDateTimeUtc,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// The layer, inside the guard and [`detach`](super::detach): a client that leaves half-way must find the answer when it
/// comes back.
pub async fn once(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (Some(key), Some(ctx)) = (key_of(&request), request.extensions().get::<Ctx>().cloned()) else {
        return next.run(request).await;
    };
    match run(&app, &ctx, key, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

fn key_of(request: &Request) -> Option<String> {
    let json = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .is_none_or(|t| t.starts_with("application/json"));
    // Operations keep keys themselves, in the transaction that makes the operation.
    if request.uri().path() == "/api/v1/operations" {
        return None;
    }
    let key = request.headers().get(&KEY)?.to_str().ok()?.to_owned();
    (request.method() == Method::POST && json).then_some(key)
}

async fn run(
    app: &Arc<App>,
    ctx: &Ctx,
    key: String,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if !(1..=200).contains(&key.len()) {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "bad_idempotency_key",
            "A key has 1 to 200 characters.",
        ));
    }
    let (parts, body) = request.into_parts();
    let limit = usize::try_from(app.config.http.max_body_kib).unwrap_or(usize::MAX).saturating_mul(1024);
    let body = to_bytes(body, limit).await.map_err(|_| {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            "The body is larger than this route accepts.",
        )
    })?;
    let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
    hash.update(parts.uri.to_string().as_bytes());
    hash.update(&[0]);
    hash.update(&body);
    let hash = HEXLOWER.encode(hash.finish().as_ref());
    let id = (ctx.actor.to_string(), key);
    if let Some(answer) = claim(app, &id, &hash).await? {
        return Ok(answer);
    }
    let unclaim = Unclaim { app: app.clone(), id: Some(id.clone()) };
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    keep(app, unclaim, id, response).await
}

type Id = (String, String);

/// Claim the key for this request, or find the answer to the one before.
async fn claim(app: &App, id: &Id, hash: &str) -> Result<Option<Response>, Problem> {
    let now = app.clock.now();
    let row = entity::ActiveModel {
        actor: Set(id.0.clone()),
        key: Set(id.1.clone()),
        request_hash: Set(hash.into()),
        status: Set(None),
        sealed_response: Set(None),
        created_at: Set(now),
    };
    match entity::Entity::insert(row).exec_without_returning(app.db.write()).await {
        Ok(_) => return Ok(None),
        Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {}
        Err(error) => return Err(error.into()),
    }
    let first = entity::Entity::find_by_id(id.clone()).one(app.db.write()).await?;
    let conflict = |code: &str, detail: &str| Problem::new(StatusCode::CONFLICT, code, detail);
    let first = first.ok_or_else(|| {
        conflict("request_in_progress", "The first request with this key just ended; try again.")
    })?;
    if first.request_hash != hash {
        let detail = "This key was used for a different request; choose a new one.";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", detail));
    }
    let (Some(status), Some(sealed)) = (first.status, first.sealed_response) else {
        return Err(conflict("request_in_progress", "The first request with this key is still running.")
            .retry_after(1));
    };
    let status =
        u16::try_from(status).ok().and_then(|s| StatusCode::from_u16(s).ok()).unwrap_or(StatusCode::OK);
    let plain = app.keys.unseal(&place(id), &sealed).map_err(Problem::internal)?;
    let mut response = (status, Bytes::copy_from_slice(&plain)).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(Some(response))
}

/// Keep a success; forget the key of a failure, so that it can be tried again.
async fn keep(app: &Arc<App>, mut unclaim: Unclaim, id: Id, response: Response) -> Result<Response, Problem> {
    if !response.status().is_success() {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, MAX_ANSWER_BYTES).await.map_err(Problem::internal)?;
    let sealed = app.keys.seal(&place(&id), &body);
    entity::Entity::update_many()
        .col_expr(entity::Column::Status, Expr::value(i32::from(parts.status.as_u16())))
        .col_expr(entity::Column::SealedResponse, Expr::value(sealed))
        .filter(entity::Column::Actor.eq(&id.0))
        .filter(entity::Column::Key.eq(&id.1))
        .exec(app.db.write())
        .await?;
    unclaim.id = None;
    Ok(Response::from_parts(parts, Body::from(body)))
}

/// Frees the key when the request fails, times out or its client leaves.
struct Unclaim {
    app: Arc<App>,
    id: Option<Id>,
}

impl Drop for Unclaim {
    fn drop(&mut self) {
        let Some(id) = self.id.take() else { return };
        let app = self.app.clone();
        self.app.tasks.spawn(async move {
            if let Err(error) = entity::Entity::delete_by_id(id).exec(app.db.write()).await {
                tracing::warn!(%error, "an idempotency key could not be freed");
            }
        });
    }
}

/// Delete keys older than a day.
pub async fn sweep(app: &App) -> Result<(), sea_orm::DbErr> {
    let old = app.clock.now() - KEPT_FOR;
    entity::Entity::delete_many()
        .filter(entity::Column::CreatedAt.lt(old))
        .exec(app.db.write())
        .await
        .map(drop)
}

fn place(id: &Id) -> String {
    format!("idempotency:{}:{}", id.0, id.1)
}
