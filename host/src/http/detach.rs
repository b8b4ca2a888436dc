//! A request that changes something runs to its end even when its client leaves: hyper drops the future of a broken
//! connection wherever it waits, and what follows a commit would never happen.

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::problem::Problem;

/// The layer, inside the time limit: a client that is told "too late" still finds the work done whole.
pub async fn detach(request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    match tokio::spawn(next.run(request)).await {
        Ok(response) => response,
        // For the layer that catches panics and tells of them.
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(error) => Problem::internal(error).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use axum::{Router, body::Body, middleware::from_fn, routing::any};
    use http::Method;
    use tokio::sync::Notify;
    use tower::ServiceExt as _;

    use super::*;

    /// Whether a handler that was left while it waited comes to its end.
    async fn ends_when_left(method: Method) -> bool {
        let (begun, ended) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (telling, done) = (begun.clone(), ended.clone());
        let handler = move || async move {
            telling.notify_one();
            tokio::time::sleep(Duration::from_millis(5)).await;
            done.notify_one();
        };
        let router = Router::new().route("/", any(handler)).route_layer(from_fn(detach));
        let request = Request::builder().method(method).uri("/").body(Body::empty()).expect("a request");
        tokio::select! {
            _ = router.oneshot(request) => panic!("it ended too soon"),
            () = begun.notified() => {}
        }
        tokio::time::timeout(Duration::from_millis(500), ended.notified()).await.is_ok()
    }

    #[tokio::test]
    async fn what_changes_something_ends_though_its_client_left() {
        assert!(ends_when_left(Method::POST).await);
        assert!(ends_when_left(Method::DELETE).await);
        assert!(!ends_when_left(Method::GET).await, "a read that nobody waits for stops");
    }

    #[tokio::test]
    #[should_panic(expected = "on purpose")]
    async fn a_panic_stays_a_panic() {
        let handler = || async {
            if true {
                panic!("on purpose")
            }
        };
        let router = Router::<()>::new().route("/", any(handler)).route_layer(from_fn(detach));
        let request =
            Request::builder().method(Method::POST).uri("/").body(Body::empty()).expect("a request");
        let _ = router.oneshot(request).await;
    }
}
