//! Routes of the gateway: enrolment without a certificate, everything else with one.

use std::sync::Arc;

use agent_protocol::{
    SUBPROTOCOL,
    enroll::{CONNECT_PATH, ENROLL_PATH, EnrollAnswer, EnrollRequest, POLL_PATH, PollRequest},
    limits,
};
use axum::{
    Extension, Router,
    extract::{DefaultBodyLimit, State, WebSocketUpgrade, ws::rejection::WebSocketUpgradeRejection},
    middleware,
    response::Response,
    routing::{any, get, post},
};
use http::{HeaderMap, StatusCode, request::Parts};
use uuid::Uuid;

use super::{connection::Connection, download};
use crate::{
    app::App,
    ctx::{Actor, Ctx},
    http::{Json, Path, Peer, access, problems},
    machines::Refusal,
    pki::KeyFingerprint,
    problem::Problem,
};

/// The gateway's router.
pub(super) fn router(app: &Arc<App>) -> Router {
    Router::new()
        .route(ENROLL_PATH, post(enroll))
        .route(POLL_PATH, post(poll))
        .route(CONNECT_PATH, any(connect))
        .route("/agent/v1/engines/{id}/{version}/package", get(package))
        .route("/agent/v1/releases/{version}/{target}", get(release))
        .layer(DefaultBodyLimit::max(limits::MAX_ENROLL_BYTES))
        .fallback(problems::not_found)
        .layer(middleware::from_fn(problems::tell))
        .with_state(app.clone())
}

/// The context of an agent that is not known yet: no rights, only an address.
fn stranger(parts: &Parts) -> Ctx {
    let mut ctx = Ctx::new(Actor::System, "enrolment", Vec::new(), access::request_id(parts));
    ctx.client_ip = access::peer(parts).and_then(|p| p.address).map(|a| a.ip());
    ctx.user_agent = access::user_agent(&parts.headers);
    ctx
}

async fn enroll(
    State(app): State<Arc<App>>,
    parts: Parts,
    Json(request): Json<EnrollRequest>,
) -> Result<Json<EnrollAnswer>, Problem> {
    Ok(Json(app.machines.enroll(&stranger(&parts), request).await?))
}

async fn poll(
    State(app): State<Arc<App>>,
    Json(request): Json<PollRequest>,
) -> Result<Json<EnrollAnswer>, Problem> {
    Ok(Json(app.machines.poll(request).await?))
}

/// The machine behind the client certificate. The key counts; names in certificates mean nothing.
async fn machine(app: &App, peer: &Peer) -> Result<(Uuid, KeyFingerprint), Problem> {
    let required = || {
        let detail = "Present the machine's client certificate; enrol first.";
        Problem::new(StatusCode::UNAUTHORIZED, "certificate_required", detail)
    };
    let certificate = peer.certificate.as_ref().ok_or_else(required)?;
    let key = KeyFingerprint::of_certificate(certificate).ok_or_else(required)?;
    match app.machines.identify(&key).await {
        Ok(id) => Ok((id, key)),
        Err(Refusal::Database(error)) => Err(error.into()),
        Err(refusal) => {
            metrics::counter!("sysmanage_agent_connections_refused_total").increment(1);
            tracing::warn!(%refusal, key = %key, peer = ?peer.address, "an agent was refused");
            let code = match refusal {
                Refusal::NotApproved("pending") => "machine_pending",
                Refusal::NotApproved(_) => "machine_rejected",
                _ => "machine_unknown",
            };
            Err(Problem::new(StatusCode::FORBIDDEN, code, format!("This agent may not connect: {refusal}.")))
        }
    }
}

async fn connect(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    // Who it is comes before what it wants.
    let (machine, key) = machine(&app, &peer).await?;
    let not_one = |e: WebSocketUpgradeRejection| Problem::new(e.status(), "not_a_websocket", e.body_text());
    let upgrade = upgrade.map_err(not_one)?;
    let upgrade = upgrade
        .protocols([SUBPROTOCOL])
        .max_message_size(limits::MAX_PACKET_BYTES)
        .max_frame_size(limits::MAX_PACKET_BYTES)
        .read_buffer_size(4096)
        .write_buffer_size(0);
    if upgrade.selected_protocol().is_none() {
        let detail = format!("The WebSocket subprotocol must be `{SUBPROTOCOL}`.");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "unknown_subprotocol", detail));
    }
    let connection = Connection { app: app.clone(), machine, key, peer };
    Ok(upgrade.on_upgrade(move |socket| app.tasks.clone().track_future(connection.run(socket))))
}

async fn package(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Path((id, version)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (machine, _) = machine(&app, &peer).await?;
    let Some(packages) = app.gateway.packages() else { return Err(Problem::not_found("engine package")) };
    let file =
        packages.package(machine, &id, &version).await.ok_or_else(|| Problem::not_found("engine package"))?;
    download::answer(file, &headers).await
}

async fn release(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Path((version, target)): Path<(String, String)>,
) -> Result<Response, Problem> {
    machine(&app, &peer).await?;
    download::answer(app.releases.file(&version, &target).await?, &headers).await
}
