//! `GET /api/v1/events`: server-sent events, filtered by permission and scope.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    response::sse::{Event as SseEvent, KeepAlive, Sse},
};
use futures_util::Stream;
use http::HeaderMap;
use sea_orm::{
    ConnectionTrait,
    sea_query::{Expr, ExprTrait, Query as SqlQuery},
};
use serde::Deserialize;
use serde_json::json;
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::Instant,
};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{Event, topic_matches};
use crate::{
    app::App,
    ctx::{Ctx, Scope},
    http::Query,
    problem::Problem,
};

const HEARTBEAT: Duration = Duration::from_secs(15);
/// A stream ends after this long, and the client comes back: so it cannot outlive a session or a right by more.
const LONGEST: Duration = Duration::from_secs(15 * 60);
const MAX_TOPICS: usize = 50;

/// Routes of this slice.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(stream_events))
}

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct EventsQuery {
    /// Topics, separated by commas; `machine.*` for all that begin so. All when absent.
    topics: Option<String>,
    /// The id seen last, where the header `Last-Event-ID` cannot be sent.
    last_event_id: Option<u64>,
    /// Send messages without a name, so that one listener hears every topic; `gap` and `lagged` keep theirs.
    unnamed: Option<bool>,
}

/// Follow what happens. Each message has the topic as `event`, and as data JSON with `id`, `topic`, `at`, `data` and
/// `machine_id`. `event: lagged` and `event: gap` say that some were missed: read again what you show.
#[utoipa::path(get, path = "/api/v1/events", tag = "events", params(EventsQuery),
    responses((status = OK, content_type = "text/event-stream", body = String)))]
async fn stream_events(
    ctx: Ctx,
    State(app): State<Arc<App>>,
    Query(query): Query<EventsQuery>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<SseEvent, Infallible>>>, Problem> {
    let topics: Vec<String> = query
        .topics
        .iter()
        .flat_map(|t| t.split(','))
        .map(|t| t.trim().to_owned())
        .filter(|t| !t.is_empty())
        .collect();
    if topics.len() > MAX_TOPICS {
        return Err(Problem::invalid("topics", "At most 50 topics."));
    }
    let last_id = headers.get("last-event-id").and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
    let (waiting, gap, receiver) = match last_id.or(query.last_event_id) {
        Some(id) => {
            let (missed, receiver) = app.events.resume(id);
            (missed.events.into(), missed.gap, receiver)
        }
        None => (VecDeque::new(), false, app.events.subscribe()),
    };
    let unnamed = query.unnamed.unwrap_or(false);
    let follower =
        Follower { unnamed, app, ctx, topics, waiting, gap, receiver, until: Instant::now() + LONGEST };
    let stream = futures_util::stream::unfold(follower, |mut follower| async move {
        follower.next().await.map(|event| (Ok(event), follower))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("alive")))
}

struct Follower {
    unnamed: bool,
    app: Arc<App>,
    ctx: Ctx,
    topics: Vec<String>,
    waiting: VecDeque<Arc<Event>>,
    gap: bool,
    receiver: Receiver<Arc<Event>>,
    until: Instant,
}

impl Follower {
    /// The next message; `None` when the host stops or it is time to come back.
    async fn next(&mut self) -> Option<SseEvent> {
        if std::mem::take(&mut self.gap) {
            return Some(SseEvent::default().event("gap").data("{}"));
        }
        loop {
            let event = match self.waiting.pop_front() {
                Some(event) => event,
                None => {
                    let shutdown = self.app.shutdown.clone();
                    let received = tokio::select! {
                        () = shutdown.cancelled() => return None,
                        () = tokio::time::sleep_until(self.until) => return None,
                        received = self.receiver.recv() => received,
                    };
                    match received {
                        Ok(event) => event,
                        Err(RecvError::Closed) => return None,
                        Err(RecvError::Lagged(missed)) => {
                            return Some(
                                SseEvent::default().event("lagged").data(format!("{{\"missed\":{missed}}}")),
                            );
                        }
                    }
                }
            };
            if self.wants(&event)
                && let Some(event) = self.seen(event).await
            {
                let data = serde_json::to_string(&*event).unwrap_or_default();
                let message = SseEvent::default().id(event.id.to_string()).data(data);
                return Some(if self.unnamed { message } else { message.event(event.topic.clone()) });
            }
        }
    }

    fn wants(&self, event: &Event) -> bool {
        self.topics.is_empty() || self.topics.iter().any(|pattern| topic_matches(pattern, &event.topic))
    }

    /// The event as the caller may see it. Of an operation that reaches beyond the caller's scope only its id is told.
    async fn seen(&self, event: Arc<Event>) -> Option<Arc<Event>> {
        let scope = self.ctx.require_scope(&event.permission).ok()?;
        if scope == Scope::All {
            return Some(event);
        }
        match (event.machine_id, event.operation_id) {
            (Some(machine), _) => in_scope(&self.app, &scope, machine).await.then_some(event),
            (None, Some(operation)) => {
                self.app.operations.get(&self.ctx, operation).await.ok()?;
                let data = json!({"operation_id": operation});
                Some(Arc::new(Event { data, ..Event::clone(&event) }))
            }
            (None, None) => Some(event),
        }
    }
}

async fn in_scope(app: &App, scope: &Scope, machine: Uuid) -> bool {
    let query = SqlQuery::select()
        .expr(Expr::val(1))
        .from("machines")
        .and_where(Expr::col(("machines", "id")).eq(machine))
        .cond_where(scope.condition(&app.selectors.env()))
        .to_owned();
    app.db.read().query_one(&query).await.is_ok_and(|row| row.is_some())
}
