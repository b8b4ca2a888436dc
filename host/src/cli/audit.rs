//! `sysmanage audit`: the activity log.

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand, ValueEnum};
use http::Method;

use super::{
    Session,
    client::{Body, encoded},
};

/// The activity log.
#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// List changes, newest first.
    List(Box<Filters>),
    /// Show how long entries are kept, or set it.
    Retention {
        /// Days, 30 to 36500; 0 for ever.
        days: Option<u32>,
    },
}

/// How it ended.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Outcome {
    Success,
    Refused,
    Failed,
}

/// What to list.
#[derive(Debug, Args)]
pub(super) struct Filters {
    /// Actor, e.g. `user:<uuid>`, or a name.
    #[arg(long)]
    actor: Option<String>,
    /// Action, or a prefix that ends in `*`.
    #[arg(long)]
    action: Option<String>,
    /// Kind of thing changed.
    #[arg(long)]
    entity_kind: Option<String>,
    /// Id of thing changed.
    #[arg(long)]
    entity_id: Option<String>,
    /// Id of the machine it concerns.
    #[arg(long)]
    machine: Option<uuid::Uuid>,
    /// How it ended.
    #[arg(long)]
    outcome: Option<Outcome>,
    /// Text in names, ids, actions or states.
    #[arg(long)]
    text: Option<String>,
    /// From this instant on, e.g. 2030-01-01T00:00:00Z.
    #[arg(long)]
    since: Option<DateTime<Utc>>,
    /// Before this instant.
    #[arg(long)]
    until: Option<DateTime<Utc>>,
    /// Most entries.
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// All entries as CSV.
    #[arg(long, conflicts_with = "limit")]
    csv: bool,
}

impl Filters {
    fn query(&self) -> String {
        let outcome = self.outcome.and_then(|o| o.to_possible_value()).map(|o| o.get_name().to_owned());
        let pairs = [
            ("actor", self.actor.clone()),
            ("action", self.action.clone()),
            ("entity_kind", self.entity_kind.clone()),
            ("entity_id", self.entity_id.clone()),
            ("machine", self.machine.map(|m| m.to_string())),
            ("outcome", outcome),
            ("text", self.text.clone()),
            ("since", self.since.map(|t| t.to_rfc3339())),
            ("until", self.until.map(|t| t.to_rfc3339())),
        ];
        let given =
            pairs.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", encoded(&value?))));
        given.collect::<Vec<_>>().join("&")
    }
}

impl AuditCommand {
    pub(super) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let client = session.client().await?;
        match self {
            Self::List(filters) if filters.csv => {
                let path = format!("/api/v1/audit/export?{}", filters.query());
                client.download(Method::GET, &path, Body::None, |piece| session.out.raw(piece)).await
            }
            Self::List(filters) => {
                let path = format!("/api/v1/audit?limit={}&{}", filters.limit, filters.query());
                let entries = client.get(&path).await?;
                let columns =
                    ["at", "outcome", "actor_name", "action", "entity_kind", "entity_id", "request_id"];
                session.out.table(&entries, &columns)
            }
            Self::Retention { days: None } => {
                session.out.thing(&client.get("/api/v1/audit/retention").await?)
            }
            Self::Retention { days: Some(days) } => {
                let body = Body::Json(serde_json::json!({"days": days}));
                let set = client.call(Method::PUT, "/api/v1/audit/retention", body).await?;
                session.out.thing(&set)
            }
        }
    }
}
