//! Checkout, the test payment, and `/webhooks/stripe`.

use std::sync::Arc;

use axum::{body::Bytes, extract::State};
use http::{HeaderMap, Method};
use uuid::Uuid;

use super::{ChangeOrder, Checkout, Received};
use crate::{
    app::App,
    ctx::{Ctx, Permission},
    http::{Access, Json, Path, Routes},
    orders::Order,
    problem::Problem,
};

type Answer<T> = Result<Json<T>, Problem>;

/// The routes.
pub fn routes(routes: Routes) -> Routes {
    let manage = Access::Member(Permission::OrdersManage);
    routes
        .on(Method::POST, "/api/v1/organisations/{org}/orders/{id}/checkout", manage, checkout)
        .on(Method::POST, "/api/v1/organisations/{org}/orders/{id}/test-payment", manage, test_payment)
        .on(Method::POST, "/api/v1/organisations/{org}/orders/{id}/cancel", manage, cancel)
        .on(Method::POST, "/api/v1/organisations/{org}/orders/{id}/change", manage, change)
        .takes::<ChangeOrder>()
        // The signature over the body is what lets one in here.
        .on(Method::POST, "/webhooks/stripe", Access::Public, webhook)
}

async fn checkout(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((org, id)): Path<(Uuid, Uuid)>,
) -> Answer<Checkout> {
    Ok(Json(app.payments.checkout(&ctx, org, id).await?))
}

async fn test_payment(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((org, id)): Path<(Uuid, Uuid)>,
) -> Answer<Order> {
    Ok(Json(app.payments.test_payment(&ctx, org, id).await?))
}

async fn cancel(ctx: Ctx, State(app): State<Arc<App>>, Path((org, id)): Path<(Uuid, Uuid)>) -> Answer<Order> {
    Ok(Json(app.payments.cancel(&ctx, org, id).await?))
}

async fn change(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((org, id)): Path<(Uuid, Uuid)>,
    Json(to): Json<ChangeOrder>,
) -> Answer<Order> {
    Ok(Json(app.payments.change(&ctx, org, id, to).await?))
}

async fn webhook(ctx: Ctx, State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Answer<Received> {
    let header = headers.get("stripe-signature").and_then(|v| v.to_str().ok()).unwrap_or_default();
    Ok(Json(app.payments.receive(&ctx, header, &body).await?))
}
