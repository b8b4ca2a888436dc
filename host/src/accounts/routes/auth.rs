//! `GET /api/v1/auth/methods`: what the sign-in page offers.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{accounts::oidc::OidcMethod, app::App, http::Json};

/// Ways to sign in.
#[derive(Serialize, ToSchema)]
pub(super) struct AuthMethods {
    /// Whether a name and a password are taken.
    password: bool,
    /// Shortest password, in characters.
    password_min_length: usize,
    /// Providers to sign in through.
    oidc: Vec<OidcMethod>,
}

/// Ways to sign in.
#[utoipa::path(get, path = "/api/v1/auth/methods", tag = "session", security(()),
    responses((status = OK, body = AuthMethods)))]
pub(super) async fn get_auth_methods(State(app): State<Arc<App>>) -> Json<AuthMethods> {
    Json(AuthMethods {
        password: app.config.auth.password_login,
        password_min_length: app.config.auth.password_min_length,
        oidc: app.accounts.oidc_methods(),
    })
}
