//! `/api/v1/tokens`: API tokens.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::{
    accounts::{
        Token,
        tokens::{CreatedToken, NewToken},
    },
    app::App,
    ctx::Ctx,
    http::{Json, Page, PageQuery, PageSchema, Path, Query},
    problem::Problem,
};

type TokenPage = PageSchema<Token>;

/// Whose tokens.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct TokenQuery {
    /// Name of another user; needs `users:manage`.
    user: Option<String>,
}

/// List one's tokens, or those of a user.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "tokens", params(TokenQuery, PageQuery),
    responses((status = OK, body = TokenPage)))]
pub(super) async fn list_tokens(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Query(of): Query<TokenQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Token>>, Problem> {
    Ok(Json(app.accounts.list_tokens(&ctx, of.user.as_deref(), page.after_id()?, page.limit()).await?))
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

/// Give a token a new secret, told in this answer only; the old one ends at once.
#[utoipa::path(post, path = "/api/v1/tokens/{id}/rotate", tag = "tokens", params(("id" = Uuid, Path)),
    responses((status = OK, body = CreatedToken)))]
pub(super) async fn rotate_token(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> Result<Json<CreatedToken>, Problem> {
    Ok(Json(app.accounts.rotate_token(&ctx, id).await?))
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
