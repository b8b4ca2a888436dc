//! `/api/v1/invitations`.

use std::sync::Arc;

use axum::extract::State;
use chrono::{DateTime, Utc};
use http::{StatusCode, request::Parts};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::session::{client, told};
use crate::{
    accounts::{
        User,
        invitations::{Acceptance, Invitation, NewInvitation},
    },
    app::App,
    ctx::Ctx,
    http::{Json, Page, PageQuery, PageSchema, Path, Query},
    problem::Problem,
};

type InvitationPage = PageSchema<Invitation>;

/// An invitation just made; its link is in this answer only.
#[derive(Serialize, ToSchema)]
pub(super) struct CreatedInvitation {
    /// The invitation.
    invitation: Invitation,
    /// Send it to the invited.
    url: String,
    /// The token in it.
    token: String,
}

/// The token of a link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkToken {
    /// What follows `#` in the link.
    token: String,
}

/// What a link offers.
#[derive(Serialize, ToSchema)]
pub(super) struct Offer {
    /// Name to log in with; absent when the invited chooses.
    name: Option<String>,
    /// Name to show.
    display_name: Option<String>,
    /// Address for mail.
    email: Option<String>,
    /// Names of roles.
    roles: Vec<String>,
    /// When the link ends.
    expires_at: DateTime<Utc>,
    /// Shortest password, in characters.
    password_min_length: usize,
}

/// List invitations that are open.
#[utoipa::path(get, path = "/api/v1/invitations", tag = "users", params(PageQuery),
    extensions(("x-permission" = json!("users:read"))), responses((status = OK, body = InvitationPage)))]
pub(super) async fn list_invitations(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Invitation>>, Problem> {
    Ok(Json(app.accounts.list_invitations(&ctx, page.after_id()?, page.limit()).await?))
}

/// Invite somebody by a link.
#[utoipa::path(post, path = "/api/v1/invitations", tag = "users", request_body = NewInvitation,
    extensions(("x-permission" = json!("users:manage"))), responses((status = CREATED, body = CreatedInvitation)))]
pub(super) async fn create_invitation(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Json(new): Json<NewInvitation>,
) -> Result<(StatusCode, Json<CreatedInvitation>), Problem> {
    let (invitation, token) = app.accounts.invite(&ctx, new).await?;
    let url = app.link(&format!("/invite#{token}"));
    Ok((StatusCode::CREATED, Json(CreatedInvitation { invitation, url, token })))
}

/// Revoke an invitation.
#[utoipa::path(delete, path = "/api/v1/invitations/{id}", tag = "users", params(("id" = Uuid, Path)),
    extensions(("x-permission" = json!("users:manage"))), responses((status = NO_CONTENT)))]
pub(super) async fn revoke_invitation(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    app.accounts.revoke_invitation(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the link with a token offers.
#[utoipa::path(post, path = "/api/v1/invitations/-/look", tag = "users", security(()), request_body = LinkToken,
    responses((status = OK, body = Offer)))]
pub(super) async fn look_at_invitation(
    State(app): State<Arc<App>>,
    parts: Parts,
    Json(link): Json<LinkToken>,
) -> Result<Json<Offer>, Problem> {
    let client = client(&parts)?;
    let open = app.accounts.look_at_invitation(&link.token, &client).await.map_err(told)?;
    Ok(Json(Offer {
        name: open.name,
        display_name: open.display_name,
        email: open.email,
        roles: open.roles,
        expires_at: open.expires_at,
        password_min_length: app.config.auth.password_min_length,
    }))
}

/// Accept an invitation: makes the user, who then logs in.
#[utoipa::path(post, path = "/api/v1/invitations/-/accept", tag = "users", security(()), request_body = Acceptance,
    responses((status = CREATED, body = User)))]
pub(super) async fn accept_invitation(
    State(app): State<Arc<App>>,
    parts: Parts,
    Json(accept): Json<Acceptance>,
) -> Result<(StatusCode, Json<User>), Problem> {
    let client = client(&parts)?;
    Ok((StatusCode::CREATED, Json(app.accounts.accept_invitation(accept, &client).await.map_err(told)?)))
}
