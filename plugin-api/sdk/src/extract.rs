//! axum's extractors with [`Problem`] as their rejection.

use axum::{
    extract::{
        FromRequest, FromRequestParts,
        rejection::{JsonRejection, PathRejection, QueryRejection},
    },
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::problem::Problem;

/// A JSON body, in requests and answers. Rejects with 400, 413, 415 or 422 `bad_request`.
#[derive(Debug, Clone, Copy, Default, FromRequest)]
#[from_request(via(axum::Json), rejection(Problem))]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// The query string. Rejects with 400 `bad_request`.
#[derive(Debug, Clone, Copy, Default, FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(Problem))]
pub struct Query<T>(pub T);

/// Parameters of the path. Rejects with 400 `bad_request`.
#[derive(Debug, Clone, Copy, Default, FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Problem))]
pub struct Path<T>(pub T);

macro_rules! rejection {
    ($($rejection:ty),*) => {$(
        impl From<$rejection> for Problem {
            fn from(e: $rejection) -> Self {
                Problem::new(e.status().as_u16(), "bad_request", e.body_text())
            }
        }
    )*};
}

rejection!(JsonRejection, PathRejection, QueryRejection);
