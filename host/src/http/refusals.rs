//! A refusal for want of a permission says what would help, and a refused change is in the activity log.

use std::sync::{Arc, Mutex};

use axum::response::Response;
use chrono::{DateTime, Utc};
use http::{Method, StatusCode};

use crate::{
    app::App,
    audit::{Change, Outcome},
    ctx::Ctx,
    problem::Problem,
};

/// Refusals recorded in a minute, of all callers: a loop that is refused must not fill the log.
const PER_MINUTE: u32 = 120;

/// How many were recorded in this minute.
#[derive(Debug, Default)]
pub struct Recorded(Mutex<Option<(DateTime<Utc>, u32)>>);

impl Recorded {
    fn admits(&self, now: DateTime<Utc>) -> bool {
        let mut minute = self.0.lock().unwrap_or_else(|e| e.into_inner());
        match minute.as_mut() {
            Some((since, count)) if now - *since < chrono::Duration::minutes(1) => {
                *count = count.saturating_add(1);
                *count <= PER_MINUTE
            }
            _ => {
                *minute = Some((now, 1));
                true
            }
        }
    }
}

/// Add to a refusal what would help.
pub async fn help(app: &Arc<App>, ctx: &Ctx, method: &Method, route: &str, response: &mut Response) {
    if response.status() != StatusCode::FORBIDDEN {
        return;
    }
    let Some(problem) = response.extensions_mut().get_mut::<Arc<Problem>>() else { return };
    let Some(permission) = problem.extras.get("permission").and_then(|p| p.as_str()).map(String::from) else {
        return;
    };
    match app.accounts.help_for(ctx, &permission).await {
        Ok(help) => {
            let problem = Arc::make_mut(problem);
            for (name, value) in [
                ("close_roles", serde_json::to_value(help.close_roles)),
                ("roles_with_permission", serde_json::to_value(help.roles_with_permission)),
                ("ask", serde_json::to_value(help.ask)),
            ] {
                problem.extras.insert(name.into(), value.unwrap_or_default());
            }
        }
        Err(error) => tracing::warn!(%error, "a refusal is told without what would help"),
    }
    if !method.is_safe() && app.accounts.refusals.admits(app.clock.now()) {
        let told = serde_json::json!({"permission": permission, "method": method.as_str()});
        let change = Change::new("access.refused", "route", route).outcome(Outcome::Refused).after(told);
        if let Err(error) = app.audit.record(ctx, change).await {
            tracing::warn!(%error, "a refusal could not be recorded");
        }
    }
}
