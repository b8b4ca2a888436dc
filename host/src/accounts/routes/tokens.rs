//! `/api/v1/tokens`: API tokens.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use uuid::Uuid;

use crate::{
    accounts::{
        Token,
        tokens::{CreatedToken, NewToken},
    },
    app::App,
    ctx::Ctx,
    http::{Json, Page, PageQuery, Path, Query},
    problem::Problem,
};

/// List one's tokens.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "tokens", params(PageQuery),
    responses((status = OK, body = Page<Token>)))]
pub(super) async fn list_tokens(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Token>>, Problem> {
    Ok(Json(app.accounts.list_tokens(&ctx, page.after_id()?, page.limit()).await?))
}

/// Create a token; its secret is in this answer only.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "tokens", request_body = NewToken,
    responses((status = CREATED, body = CreatedToken)))]
pub(super) async fn create_token(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Json(new): Json<NewToken>,
) -> Result<(StatusCode, Json<CreatedToken>), Problem> {
    Ok((StatusCode::CREATED, Json(app.accounts.create_token(&ctx, new).await?)))
}

/// Revoke a token.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", tag = "tokens", params(("id" = Uuid, Path)),
    responses((status = NO_CONTENT)))]
pub(super) async fn revoke_token(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    app.accounts.revoke_token(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
