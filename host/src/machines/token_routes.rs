//! `/api/v1/enrolment-tokens` and `/api/v1/authority`.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{EnrolmentToken, NewEnrolmentToken, TokenRequest};
use crate::{
    app::App,
    ctx::Ctx,
    http::{Json, Page, PageQuery, PageSchema, Path, Query},
    problem::{Problem, ProblemBody},
};

type EnrolmentTokenPage = PageSchema<EnrolmentToken>;

/// Routes of enrolment tokens.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(revoke)).routes(routes!(authority))
}

/// A token to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CreateToken {
    /// What it is for.
    name: String,
    /// Tags its machines get.
    tags: Vec<String>,
    /// Whether its machines need no approval.
    auto_approve: bool,
    /// How often it may be used; no limit when absent.
    max_uses: Option<u32>,
    /// Seconds until it ends; a day when absent, a year at most.
    expires_in_s: u32,
    /// Networks such as `10.0.0.0/8` from which it approves; from everywhere when empty.
    approve_networks: Vec<String>,
}

impl Default for CreateToken {
    fn default() -> Self {
        Self {
            name: String::new(),
            tags: Vec::new(),
            auto_approve: false,
            max_uses: None,
            expires_in_s: 86_400,
            approve_networks: Vec::new(),
        }
    }
}

/// Make an enrolment token.
#[utoipa::path(post, path = "/api/v1/enrolment-tokens", tag = "machines", operation_id = "create_enrolment_token",
    extensions(("x-permission" = json!("machines:enrol"))), request_body = CreateToken,
    responses((status = 201, body = NewEnrolmentToken), (status = 422, body = ProblemBody)))]
async fn create(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Json(body): Json<CreateToken>,
) -> Result<(StatusCode, Json<NewEnrolmentToken>), Problem> {
    let request = TokenRequest {
        name: body.name,
        tags: body.tags,
        auto_approve: body.auto_approve,
        max_uses: body.max_uses,
        expires_in_s: body.expires_in_s,
        approve_networks: body.approve_networks,
    };
    let mut made = app.machines.create_token(&ctx, request).await?;
    made.install_command = crate::releases::install_line(&app, &made.token);
    Ok((StatusCode::CREATED, Json(made)))
}

/// List enrolment tokens, newest first.
#[utoipa::path(get, path = "/api/v1/enrolment-tokens", tag = "machines", operation_id = "list_enrolment_tokens",
    extensions(("x-permission" = json!("machines:enrol"))), params(PageQuery),
    responses((status = 200, body = EnrolmentTokenPage)))]
async fn list(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<EnrolmentToken>>, Problem> {
    Ok(Json(app.machines.list_tokens(&ctx, page.after_id()?, page.limit()).await?))
}

/// Revoke an enrolment token.
#[utoipa::path(delete, path = "/api/v1/enrolment-tokens/{id}", tag = "machines",
    operation_id = "revoke_enrolment_token", extensions(("x-permission" = json!("machines:enrol"))),
    params(("id" = Uuid, Path)), responses((status = 204), (status = 404, body = ProblemBody)))]
async fn revoke(ctx: Ctx, State(app): State<Arc<App>>, Path(id): Path<Uuid>) -> Result<StatusCode, Problem> {
    app.machines.revoke_token(&ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The internal authority.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuthorityInfo {
    /// SHA-256 of the certificate: what agents pin.
    fingerprint: String,
    /// The certificate.
    certificate_pem: String,
    /// Where agents find the gateway.
    gateway_url: String,
}

/// The internal authority's certificate and fingerprint.
#[utoipa::path(get, path = "/api/v1/authority", tag = "machines", operation_id = "get_authority",
    extensions(("x-permission" = json!("machines:read"))), responses((status = 200, body = AuthorityInfo)))]
async fn authority(ctx: Ctx, State(app): State<Arc<App>>) -> Result<Json<AuthorityInfo>, Problem> {
    ctx.require("machines:read")?;
    Ok(Json(AuthorityInfo {
        fingerprint: app.pki.authority.fingerprint().to_string(),
        certificate_pem: app.pki.authority.pem().to_owned(),
        gateway_url: app.machines.gateway_url(),
    }))
}
