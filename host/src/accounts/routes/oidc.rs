//! `/api/v1/auth/oidc/{provider}`: to a provider and back.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header, request::Parts};
use serde::Deserialize;
use utoipa::IntoParams;

use super::session::{cookie_of, told, visitor};
use crate::{
    accounts::oidc::{Answer, JOURNEY, JOURNEY_COOKIE, OidcError},
    app::App,
    http::{Path, Query, access},
    problem::{Problem, SliceError},
};

/// Where to go afterwards.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Start {
    /// A path of the console; its front page when absent.
    return_to: Option<String>,
}

/// What the provider sends along.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Callback {
    /// The code to exchange.
    code: Option<String>,
    /// What ties it to the beginning.
    state: Option<String>,
    /// Why there is no code.
    error: Option<String>,
}

/// Sign in through a provider: sends the browser there.
#[utoipa::path(get, path = "/api/v1/auth/oidc/{provider}/start", tag = "session", security(()),
    params(("provider" = String, Path), Start), responses((status = SEE_OTHER)))]
pub(super) async fn start_oidc(
    State(app): State<Arc<App>>,
    Path(provider): Path<String>,
    Query(start): Query<Start>,
    parts: Parts,
) -> Result<Response, Problem> {
    let back = callback(&app, &provider);
    let return_to = start.return_to.unwrap_or_default();
    match app.accounts.start_oidc(&provider, &back, &return_to, &visitor(&parts)).await {
        Ok(departure) => {
            // Lax: the provider's page leads the browser back here.
            let age = JOURNEY.num_seconds();
            let cookie = format!(
                "{JOURNEY_COOKIE}={}; Path=/; Max-Age={age}; HttpOnly; Secure; SameSite=Lax",
                departure.cookie
            );
            Ok((StatusCode::SEE_OTHER, [(header::LOCATION, departure.url), (header::SET_COOKIE, cookie)])
                .into_response())
        }
        Err(error) => failed(error),
    }
}

/// Back from a provider: begins the session, and sends the browser on.
#[utoipa::path(get, path = "/api/v1/auth/oidc/{provider}/callback", tag = "session", security(()),
    params(("provider" = String, Path), Callback), responses((status = SEE_OTHER)))]
pub(super) async fn finish_oidc(
    State(app): State<Arc<App>>,
    Path(provider): Path<String>,
    Query(answer): Query<Callback>,
    parts: Parts,
) -> Result<Response, Problem> {
    let back = callback(&app, &provider);
    let cookie = access::cookie(&parts.headers, JOURNEY_COOKIE);
    let answer = Answer { code: answer.code, state: answer.state, error: answer.error };
    match app.accounts.finish_oidc(&provider, &back, cookie, answer, visitor(&parts)).await {
        Ok((new, return_to)) => {
            let ended = format!("{JOURNEY_COOKIE}=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax");
            let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, return_to)]).into_response();
            for cookie in [cookie_of(&app, &new), ended] {
                let value = cookie.parse().map_err(Problem::internal)?;
                response.headers_mut().append(header::SET_COOKIE, value);
            }
            Ok(response)
        }
        Err(error) => failed(error),
    }
}

fn callback(app: &App, provider: &str) -> String {
    app.link(&format!("/api/v1/auth/oidc/{}/callback", crate::cli::encoded(provider)))
}

/// A browser came by itself, so it gets a page: the sign-in page, with the code of what went wrong.
fn failed(error: OidcError) -> Result<Response, Problem> {
    match error {
        OidcError::Account(error) => Err(told(error)),
        error if error.status().is_server_error() && error.code() == "internal" => Err(error.into()),
        OidcError::UnknownProvider => Err(error.into()),
        error => {
            tracing::info!(%error, code = error.code(), "a sign-in through a provider did not work");
            let page = format!("/login?error={}", error.code());
            Ok((StatusCode::SEE_OTHER, [(header::LOCATION, page)]).into_response())
        }
    }
}
