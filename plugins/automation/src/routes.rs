//! HTTP: translates between requests and the service. Every operation names the permission the host asks for.

mod approvals;
mod export;
mod query;
mod results;
mod runs;
mod schedules;
mod scripts;
mod stream;
mod versions;

use std::sync::Arc;

use axum::{extract::DefaultBodyLimit, http::HeaderMap};
use plugin_sdk::{OpenApiRouter, routes};

use crate::engine::Automation;

/// Largest request body: a script of 256 KiB whose every character is escaped, and its parameters.
const BODY_BYTES: usize = 2 << 20;

/// Every route.
pub fn router() -> OpenApiRouter<Arc<Automation>> {
    OpenApiRouter::new()
        .routes(routes!(scripts::list_scripts, scripts::create_script))
        .routes(routes!(scripts::get_script, scripts::update_script))
        .routes(routes!(scripts::archive_script))
        .routes(routes!(scripts::restore_script))
        .routes(routes!(scripts::transfer_script))
        .routes(routes!(scripts::list_script_history))
        .routes(routes!(versions::list_versions, versions::create_version))
        .routes(routes!(versions::get_version))
        .routes(routes!(versions::diff_versions))
        .routes(routes!(runs::create_run))
        .routes(routes!(runs::list_runs))
        .routes(routes!(runs::get_run))
        .routes(routes!(runs::cancel_run))
        .routes(routes!(runs::retry_run))
        .routes(routes!(results::list_results))
        .routes(routes!(results::group_results))
        .routes(routes!(results::get_output))
        .routes(routes!(stream::stream_output))
        .routes(routes!(approvals::list_approvals))
        .routes(routes!(approvals::get_approval))
        .routes(routes!(approvals::approve_run))
        .routes(routes!(approvals::reject_run))
        .routes(routes!(schedules::list_schedules, schedules::create_schedule))
        .routes(routes!(schedules::get_schedule, schedules::replace_schedule, schedules::delete_schedule))
        .routes(routes!(schedules::enable_schedule))
        .routes(routes!(schedules::disable_schedule))
        .routes(routes!(schedules::run_schedule))
        .routes(routes!(schedules::preview_schedule))
        .routes(routes!(schedules::preview_rule))
        .routes(routes!(export::export_scripts))
        .routes(routes!(export::export_runs))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
}

/// The header `Idempotency-Key`, unless the body names a key.
fn idempotency_key(headers: &HeaderMap, body: Option<String>) -> Option<String> {
    body.or_else(|| Some(String::from_utf8_lossy(headers.get("idempotency-key")?.as_bytes()).into_owned()))
}
