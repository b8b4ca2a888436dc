//! Calls of an engine's own routes: licence, state, route, permission, then the engine.

use std::{sync::Arc, time::Instant};

use axum::{
    body::Body,
    extract::{Request, State as AppState},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, StatusCode, Uri, header};
use plugin_api::CallContext;
use serde_json::{Value, json};

use super::{
    live::{Entry, Lease, Live},
    openapi::Found,
    service::Engines,
};
use crate::{
    app::App,
    audit::Change,
    ctx::{Ctx, Scope},
    http::Path,
    problem::Problem,
};

/// Headers that end at the host: credentials, and what belongs to one connection.
const STRIPPED: [HeaderName; 10] = [
    header::AUTHORIZATION,
    header::COOKIE,
    header::PROXY_AUTHORIZATION,
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::TE,
    header::TRAILER,
    header::HOST,
    HeaderName::from_static("keep-alive"),
];

/// Headers that an engine may not set: they would speak for the host.
const UNSAYABLE: [HeaderName; 6] = [
    header::SET_COOKIE,
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::STRICT_TRANSPORT_SECURITY,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("clear-site-data"),
];

/// `/api/v1/engines/{id}/{*rest}`
pub(super) async fn dispatch(
    ctx: Ctx,
    AppState(app): AppState<Arc<App>>,
    Path((id, _)): Path<(String, String)>,
    request: Request,
) -> Response {
    let began = Instant::now();
    let engines = Engines::clone(&app.engines);
    match engines.admit_call(&ctx, &id, &request) {
        Ok((entry, lease, context)) => {
            let response = forward(&entry, &lease, &context, &id, request).await;
            let failed = response.status().is_server_error();
            lease.stats.note(began.elapsed(), failed);
            metrics::counter!("sysmanage_engine_calls_total", "engine" => entry.id.clone()).increment(1);
            metrics::histogram!("sysmanage_engine_call_seconds", "engine" => entry.id.clone())
                .record(began.elapsed().as_secs_f64());
            if failed {
                metrics::counter!("sysmanage_engine_errors_total", "engine" => entry.id.clone()).increment(1);
            }
            response
        }
        Err(problem) => {
            engines.denied(&ctx, &id, &problem, request.method().as_str(), request.uri().path()).await;
            problem.into_response()
        }
    }
}

/// The part of the path below the engine's prefix, with the query.
fn below(id: &str, uri: &Uri) -> String {
    let prefix = format!("/api/v1/engines/{id}");
    let whole = uri.path_and_query().map_or("/", |p| p.as_str());
    match whole.strip_prefix(&prefix) {
        Some(rest) if rest.starts_with('/') => rest.to_owned(),
        Some(rest) => format!("/{rest}"),
        None => "/".into(),
    }
}

impl Engines {
    /// The gate: who may not pass is told why and what would help.
    fn admit_call(
        &self,
        ctx: &Ctx,
        id: &str,
        request: &Request,
    ) -> Result<(Arc<Entry>, Lease, CallContext), Problem> {
        let unknown = || {
            Problem::new(StatusCode::NOT_FOUND, "unknown_engine", format!("There is no engine `{id}` here."))
        };
        let entry = self.entry(id).ok_or_else(unknown)?;
        if entry.row().current.is_none() {
            return Err(unknown());
        }
        let rest = below(id, request.uri());
        let path = rest.split('?').next().unwrap_or("/");
        let decision = self.entry_decision(&entry);
        if !decision.may_read() {
            return Err(license_required(
                &entry,
                decision.code(),
                "A licence that names this engine unlocks it.",
            ));
        }
        let lease = self.entry_state(&entry).serves().then(|| entry.lease()).flatten();
        let Some(lease) = lease else { return Err(self.unavailable(&entry)) };
        if !decision.may_write() && !lease.routes.reads(request.method(), path) {
            let unlocks = "Renewing the licence unlocks it; reading and export work meanwhile.";
            return Err(license_required(&entry, decision.code(), unlocks));
        }
        let permission = match lease.routes.find(request.method(), path) {
            Found::Route(permission) => permission.to_owned(),
            Found::OtherMethod => {
                let why = "This address does not take this method.";
                return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", why));
            }
            Found::Nothing => {
                return Err(Problem::new(StatusCode::NOT_FOUND, "not_found", "Nothing has such an address."));
            }
        };
        let scope = match permission.as_str() {
            "" => Scope::All,
            name => ctx.require_scope(name)?,
        };
        let scope = match scope {
            Scope::All => String::new(),
            Scope::Selector(selector) => selector,
        };
        let context = call_context(ctx, &lease, scope);
        entry.contexts.remember(ctx, &context.scope);
        Ok((entry, lease, context))
    }

    /// The version whose pages and files may be read, or what would help.
    pub(super) fn readable(&self, id: &str) -> Result<Arc<Live>, Problem> {
        let known = self.entry(id).filter(|e| e.row().current.is_some());
        let entry = known.ok_or_else(|| Problem::not_found("file of this engine"))?;
        let decision = self.entry_decision(&entry);
        if !decision.may_read() {
            let unlocks = "A licence that names this engine unlocks it.";
            return Err(license_required(&entry, decision.code(), unlocks));
        }
        self.serving(id).ok_or_else(|| self.unavailable(&entry))
    }

    fn unavailable(&self, entry: &Entry) -> Problem {
        let state = self.entry_state(entry);
        let why = format!("The engine `{}` is {}. {}", entry.id, state.name(), state.remedy());
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "engine_unavailable", why.trim())
            .with("engine", entry.id.clone())
            .with("state", state.name())
            .retry_after(5)
    }

    async fn denied(&self, ctx: &Ctx, id: &str, problem: &Problem, method: &str, path: &str) {
        metrics::counter!("sysmanage_engine_denied_total", "code" => problem.code.clone()).increment(1);
        if !matches!(problem.status, StatusCode::FORBIDDEN | StatusCode::PAYMENT_REQUIRED) {
            return;
        }
        let call = json!({"method": method, "path": path, "code": problem.code});
        let change = Change::new("engine.call_denied", "engine", id).after(call);
        if let Err(error) = self.0.core.audit.record(ctx, change).await {
            tracing::warn!(%error, "a denied call was not written to the audit log");
        }
    }
}

fn license_required(entry: &Entry, reason: &str, unlocks: &str) -> Problem {
    let why = format!("The licence does not allow this call of `{}`: {reason}. {unlocks}", entry.id);
    Problem::new(StatusCode::PAYMENT_REQUIRED, "license_required", why)
        .with("engine", entry.id.clone())
        .with("reason", reason)
        .with(
            "unlocks",
            entry.build().map_or(Value::Null, |b| json!({"engine": b.engine, "version": b.version})),
        )
}

fn call_context(ctx: &Ctx, lease: &Lease, scope: String) -> CallContext {
    let own = lease.manifest().permissions.iter().map(|p| p.name.as_str());
    CallContext {
        actor: ctx.actor.to_string(),
        actor_name: ctx.actor_name.clone(),
        user: ctx.actor.user_id().map(|u| u.to_string()),
        roles: ctx.roles.iter().cloned().collect(),
        permissions: ctx.held(own),
        scope,
        request_id: ctx.request_id.clone(),
        deadline_unix_ms: ctx.deadline.map_or(0, |d| d.timestamp_millis()),
        client_ip: ctx.client_ip.map(|ip| ip.to_string()),
    }
}

async fn forward(
    entry: &Entry,
    lease: &Lease,
    context: &CallContext,
    id: &str,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let uri = match below(id, &parts.uri).parse::<Uri>() {
        Ok(uri) => uri,
        Err(error) => {
            return Problem::new(StatusCode::BAD_REQUEST, "bad_request", error.to_string()).into_response();
        }
    };
    let mut forwarded = http::Request::new(plugin_runtime::Body::new(body));
    *forwarded.method_mut() = parts.method;
    *forwarded.uri_mut() = uri;
    *forwarded.headers_mut() = without(parts.headers, &STRIPPED);
    let answer = lease.instance.handle(forwarded, context).await;
    let (mut parts, body) = answer.into_parts();
    parts.headers = without(parts.headers, &UNSAYABLE);
    if parts.status.is_server_error() {
        tracing::warn!(engine.id = %entry.id, status = parts.status.as_u16(), request_id = %context.request_id, "an engine's call failed");
    }
    Response::from_parts(parts, Body::new(body))
}

fn without(mut headers: HeaderMap, names: &[HeaderName]) -> HeaderMap {
    for name in names {
        headers.remove(name);
    }
    headers
}
