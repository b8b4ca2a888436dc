//! `/api/v1/organisations/{org}/orders` and `/api/v1/vendor/orders`.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use http::{Method, StatusCode};
use serde::Deserialize;
use trust::KeyId;
use uuid::Uuid;

use super::{Entry, NewOrder, Order, Revenue, What};
use crate::{
    app::App,
    ctx::{Ctx, Permission},
    http::{Access, Items, Json, Path, Query, Routes},
    licensing::license_file,
    problem::Problem,
};

type Answer<T> = Result<Json<T>, Problem>;

/// The routes.
pub fn routes(routes: Routes) -> Routes {
    use Access::{Member, Staff};
    let orders = "/api/v1/organisations/{org}/orders";
    let (read, manage) = (Member(Permission::OrdersRead), Member(Permission::OrdersManage));
    routes
        .on(Method::GET, orders, read, list)
        .on(Method::POST, orders, manage, create)
        .takes::<NewOrder>()
        .on(Method::POST, "/api/v1/organisations/{org}/trial", manage, start_trial)
        .takes::<Trial>()
        .on(Method::GET, "/api/v1/organisations/{org}/orders/{id}", read, get)
        .on(Method::GET, "/api/v1/organisations/{org}/orders/{id}/history", read, history)
        .on(
            Method::POST,
            "/api/v1/organisations/{org}/orders/{id}/transfer",
            Member(Permission::LicensesManage),
            transfer,
        )
        .takes::<Transfer>()
        .on(
            Method::POST,
            "/api/v1/organisations/{org}/licenses/{id}/activate",
            Member(Permission::LicensesManage),
            activate,
        )
        .on(Method::GET, "/api/v1/vendor/revenue", Staff, revenue)
        .lists::<Revenue>()
        .on(Method::GET, "/api/v1/vendor/orders", Staff, list_all)
        .on(Method::POST, "/api/v1/vendor/orders/{id}/events", Staff, tell)
        .takes::<Told>()
        .on(Method::POST, "/api/v1/vendor/orders/{id}/invoice-paid", Staff, invoice_paid)
        .takes::<Invoice>()
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Trial {
    plan: String,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Transfer {
    #[schema(value_type = Option<String>)]
    instance: Option<KeyId>,
}

#[derive(Deserialize, utoipa::ToSchema)]
struct Told {
    id: String,
    #[serde(flatten)]
    what: What,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Invoice {
    number: String,
}

#[derive(Deserialize)]
struct After {
    after: Option<Uuid>,
}

async fn list(ctx: Ctx, State(app): State<Arc<App>>, Path(org): Path<Uuid>) -> Answer<Items<Order>> {
    Ok(Json(Items { items: app.orders.list(&ctx, org).await? }))
}

async fn create(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(org): Path<Uuid>,
    Json(new): Json<NewOrder>,
) -> Result<(StatusCode, Json<Order>), Problem> {
    Ok((StatusCode::CREATED, Json(app.orders.create(&ctx, org, new).await?)))
}

async fn start_trial(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(org): Path<Uuid>,
    Json(trial): Json<Trial>,
) -> Result<(StatusCode, Json<Order>), Problem> {
    Ok((StatusCode::CREATED, Json(app.orders.start_trial(&ctx, org, &trial.plan).await?)))
}

async fn get(ctx: Ctx, State(app): State<Arc<App>>, Path((org, id)): Path<(Uuid, Uuid)>) -> Answer<Order> {
    Ok(Json(app.orders.get(&ctx, org, id).await?))
}

async fn history(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((org, id)): Path<(Uuid, Uuid)>,
) -> Answer<Items<Entry>> {
    Ok(Json(Items { items: app.orders.history(&ctx, org, id).await? }))
}

async fn transfer(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((org, id)): Path<(Uuid, Uuid)>,
    Json(to): Json<Transfer>,
) -> Answer<Order> {
    Ok(Json(app.orders.transfer(&ctx, org, id, to.instance).await?))
}

async fn list_all(ctx: Ctx, State(app): State<Arc<App>>, Query(page): Query<After>) -> Answer<Items<Order>> {
    Ok(Json(Items { items: app.orders.list_all(&ctx, page.after).await? }))
}

async fn tell(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Json(told): Json<Told>,
) -> Answer<Order> {
    Ok(Json(app.orders.tell(&ctx, id, told.id, told.what).await?))
}

async fn invoice_paid(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path(id): Path<Uuid>,
    Json(invoice): Json<Invoice>,
) -> Answer<Order> {
    Ok(Json(app.orders.invoice_paid(&ctx, id, &invoice.number).await?))
}

/// The body is a host's instance request; the answer is the licence, bound to that host.
async fn activate(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Path((org, license)): Path<(Uuid, String)>,
    request: String,
) -> Result<Response, Problem> {
    Ok(license_file(&license, &app.orders.activate(&ctx, org, &license, &request).await?))
}

async fn revenue(ctx: Ctx, State(app): State<Arc<App>>) -> Result<Json<Items<Revenue>>, Problem> {
    Ok(Json(Items { items: app.orders.revenue(&ctx).await? }))
}
