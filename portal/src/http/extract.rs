//! Extractors whose refusals are problems, and [`Ctx`] itself.

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    response::{IntoResponse, Response},
};
use http::{StatusCode, request::Parts};
use serde::{Serialize, de::DeserializeOwned};

use crate::{ctx::Ctx, problem::Problem};

/// A JSON body, in and out.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

/// A form of a page.
#[derive(Debug, Clone)]
pub struct Form<T>(pub T);

/// Path parameters.
#[derive(Debug, Clone)]
pub struct Path<T>(pub T);

/// Query parameters.
#[derive(Debug, Clone)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let body = axum::Json::from_request(request, state).await;
        body.map(|axum::Json(value)| Self(value)).map_err(|e| refusal(e.status(), e.body_text()))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let body = axum::Form::from_request(request, state).await;
        body.map(|axum::Form(value)| Self(value)).map_err(|e| refusal(e.status(), e.body_text()))
    }
}

fn refusal(status: StatusCode, detail: String) -> Problem {
    let code = match status {
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported_media_type",
        StatusCode::PAYLOAD_TOO_LARGE => "body_too_large",
        StatusCode::UNPROCESSABLE_ENTITY => "invalid",
        _ => "malformed_body",
    };
    Problem::new(status, code, detail)
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = axum::extract::Path::from_request_parts(parts, state).await;
        path.map(|axum::extract::Path(v)| Self(v)).map_err(|e| match e.status() {
            StatusCode::INTERNAL_SERVER_ERROR => Problem::internal(e),
            _ => Problem::not_found(),
        })
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = axum::extract::Query::from_request_parts(parts, state).await;
        query
            .map(|axum::extract::Query(v)| Self(v))
            .map_err(|e| Problem::new(StatusCode::BAD_REQUEST, "bad_query", e.body_text()))
    }
}

/// The context that the guard put into the request.
impl<S: Send + Sync> FromRequestParts<S> for Ctx {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Ctx>().cloned().ok_or_else(Problem::unauthenticated)
    }
}
