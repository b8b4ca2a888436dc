//! `/api/v1/hosts/contact`, and what was used for customers and the vendor.

use std::sync::Arc;

use axum::extract::State;
use http::Method;
use uuid::Uuid;

use super::{Answer, Contact, KeptReceipt, UsedBy, Which};
use crate::{
    app::App,
    ctx::{Ctx, Permission},
    http::{Access, Items, Json, Path, Query, Routes},
    problem::Problem,
};

/// The routes.
pub fn routes(routes: Routes) -> Routes {
    let read = Access::Member(Permission::LicensesRead);
    routes
        .on(Method::POST, "/api/v1/hosts/contact", Access::Host, contact)
        .takes::<Contact>()
        .answers::<Answer>()
        .on(Method::GET, "/api/v1/organisations/{org}/usage", read, used_by)
        .lists::<UsedBy>()
        .on(Method::GET, "/api/v1/organisations/{org}/receipts", read, receipts)
        .lists::<KeptReceipt>()
        .on(Method::GET, "/api/v1/vendor/customers/{id}/usage", Access::Staff, used_by)
        .lists::<UsedBy>()
        .on(Method::GET, "/api/v1/vendor/customers/{id}/receipts", Access::Staff, receipts)
        .lists::<KeptReceipt>()
}

async fn contact(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Json(contact): Json<Contact>,
) -> Result<Json<Answer>, Problem> {
    Ok(Json(app.hosts.contact(&ctx, contact).await?))
}

async fn used_by(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(org): Path<Uuid>,
) -> Result<Json<Items<UsedBy>>, Problem> {
    Ok(Json(Items { items: app.hosts.used_by(&ctx, org).await? }))
}

async fn receipts(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(org): Path<Uuid>,
    Query(which): Query<Which>,
) -> Result<Json<Items<KeptReceipt>>, Problem> {
    Ok(Json(Items { items: app.hosts.receipts(&ctx, org, &which).await? }))
}
