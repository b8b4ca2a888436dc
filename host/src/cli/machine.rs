//! `sysmanage machine|enrolment-token`.

use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Value, json};

use super::{
    Session,
    client::{Body, Client, encoded},
    target::Target,
};

/// Machines.
#[derive(Debug, Subcommand)]
pub(super) enum MachineCommand {
    /// List machines.
    List {
        /// Selector, e.g. `os:debian tag:web`.
        #[arg(default_value = "")]
        selector: String,
    },
    /// Show a machine.
    Show {
        /// Id or name.
        machine: String,
    },
    /// Show what changed on a machine, or on all, newest first.
    Changes {
        /// Id or name; all machines when absent.
        machine: Option<String>,
        /// Not before this moment, RFC 3339.
        #[arg(long)]
        since: Option<String>,
        /// Of this section: `packages`, `services`, ...
        #[arg(long)]
        section: Option<String>,
        /// On machines this selector matches, when no machine is named.
        #[arg(long, conflicts_with = "machine")]
        selector: Option<String>,
        /// Most changes of sections, up to 500.
        #[arg(long, default_value_t = 50)]
        limit: u16,
    },
    /// Let machines join. They count against the licence from now on.
    Approve {
        /// Ids or names.
        #[arg(required = true)]
        machines: Vec<String>,
    },
    /// Let every waiting machine join that a selector selects.
    ApproveAll {
        /// Selector, e.g. `name:lab-*`.
        selector: String,
        /// When more wait, nothing is done.
        #[arg(long, default_value_t = 100)]
        most: u64,
    },
    /// Show other machines that may be the same computer.
    Duplicates {
        /// Id or name.
        machine: String,
    },
    /// Let a waiting machine take the place of another one, which keeps its name, tags, notes and history.
    Replace {
        /// Id or name of the waiting machine.
        machine: String,
        /// Id of the machine whose place it takes.
        old: String,
    },
    /// Refuse a machine that asks to join.
    Reject {
        /// Id or name.
        machine: String,
    },
    /// Remove a machine and its history.
    Remove {
        /// Id or name.
        machine: String,
    },
    /// Show what happens to machines that do not report, or change it.
    StalePolicy(StaleArgs),
    /// Restart machines; with --wait until they are back.
    Reboot(PowerArgs),
    /// Shut machines down.
    Shutdown(PowerArgs),
}

/// What to change of the policy; what is not named stays.
#[derive(Debug, Args)]
pub(super) struct StaleArgs {
    /// Tell administrators of machines without a sign of life for so many days; 0 never.
    #[arg(long, value_name = "DAYS")]
    notify_after: Option<u32>,
    /// Remove machines without a sign of life for so many days, 7 or more; 0 never.
    #[arg(long, value_name = "DAYS")]
    remove_after: Option<u32>,
    /// Remove undecided requests to join after so many days; 0 never.
    #[arg(long, value_name = "DAYS")]
    forget_requests_after: Option<u32>,
    /// Selector of machines that are never removed; empty for none.
    #[arg(long, value_name = "SELECTOR")]
    keep: Option<String>,
}

impl StaleArgs {
    async fn run(self, session: &Session, client: &Client) -> anyhow::Result<()> {
        const PATH: &str = "/api/v1/machines/-/stale-policy";
        let mut policy = client.get(PATH).await?;
        let changes = [
            ("notify_after_days", self.notify_after.map(Value::from)),
            ("remove_after_days", self.remove_after.map(Value::from)),
            ("forget_requests_after_days", self.forget_requests_after.map(Value::from)),
            ("keep", self.keep.map(Value::from)),
        ];
        let changed = changes.iter().any(|(_, value)| value.is_some());
        for (name, value) in changes {
            if let Some(value) = value {
                policy[name] = value;
            }
        }
        if changed {
            policy = client.call(Method::PUT, PATH, Body::Json(policy)).await?;
        }
        session.out.thing(&policy)
    }
}

/// How to restart or shut down, and where.
#[derive(Debug, Args)]
pub(super) struct PowerArgs {
    /// Seconds until it happens.
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    delay: u32,
    /// Told to people who are logged in.
    #[arg(long, default_value = "")]
    message: String,
    #[command(flatten)]
    target: Target,
}

impl PowerArgs {
    async fn run(self, session: &Session, verb: &str) -> anyhow::Result<ExitCode> {
        let parameters = json!({"delay_s": self.delay, "message": self.message});
        self.target.run(session, &format!("power/{verb}"), parameters).await
    }
}

impl MachineCommand {
    pub(super) async fn run(self, session: &Session) -> anyhow::Result<ExitCode> {
        match self {
            Self::Reboot(args) => args.run(session, "reboot").await,
            Self::Shutdown(args) => args.run(session, "shutdown").await,
            other => other.change(session).await.map(|()| ExitCode::SUCCESS),
        }
    }

    async fn change(self, session: &Session) -> anyhow::Result<()> {
        let client = session.client().await?;
        match self {
            Self::Reboot(_) | Self::Shutdown(_) => Ok(()),
            Self::StalePolicy(args) => args.run(session, &client).await,
            Self::List { selector } => {
                let machines =
                    client.get(&format!("/api/v1/machines?limit=500&q={}", encoded(&selector))).await?;
                session.out.table(
                    &machines,
                    &["id", "name", "state", "online", "os_name", "os_version", "last_seen_at"],
                )
            }
            Self::Show { machine } => {
                let id = machine_id(&client, &machine).await?;
                session.out.thing(&client.get(&format!("/api/v1/machines/{id}")).await?)
            }
            Self::Changes { machine, since, section, selector, limit } => {
                let mut path = match machine {
                    Some(machine) => {
                        let id = machine_id(&client, &machine).await?;
                        format!("/api/v1/machines/{id}/changes?limit={limit}")
                    }
                    None => format!("/api/v1/changes?limit={limit}"),
                };
                for (name, value) in [("since", since), ("section", section), ("q", selector)] {
                    if let Some(value) = value {
                        path.push_str(&format!("&{name}={}", encoded(&value)));
                    }
                }
                changes(session, &client.get(&path).await?)
            }
            Self::Approve { machines } => {
                for machine in machines {
                    act(session, &client, &machine, "approve", "approved").await?;
                }
                Ok(())
            }
            Self::ApproveAll { selector, most } => {
                let body = json!({"selector": selector, "most": most});
                let answer = client.post("/api/v1/machines/-/approve", body).await?;
                let count = |list: &str| answer[list].as_array().map_or(0, Vec::len);
                let sentence = format!("{} approved, {} not", count("done"), count("failed"));
                session.out.done(&answer, &sentence)
            }
            Self::Duplicates { machine } => {
                let id = machine_id(&client, &machine).await?;
                let answer = client.get(&format!("/api/v1/machines/{id}/duplicates")).await?;
                session.out.table(&answer, &["machine.id", "machine.name", "machine.state", "same"])
            }
            Self::Replace { machine, old } => {
                let id = machine_id(&client, &machine).await?;
                let answer =
                    client.post(&format!("/api/v1/machines/{id}/replace"), json!({"old": old})).await?;
                session.out.done(&answer, &format!("{machine} is {old} now"))
            }
            Self::Reject { machine } => act(session, &client, &machine, "reject", "rejected").await,
            Self::Remove { machine } => {
                let id = machine_id(&client, &machine).await?;
                client.delete(&format!("/api/v1/machines/{id}")).await?;
                session.out.done(&json!({"id": id}), &format!("{machine} removed"))
            }
        }
    }
}

/// One line a change.
fn changes(session: &Session, found: &Value) -> anyhow::Result<()> {
    if session.out.json {
        return session.out.json(found);
    }
    let mut rows = Vec::new();
    for section in found["items"].as_array().into_iter().flatten() {
        for change in section["changes"].as_array().into_iter().flatten() {
            let path = change["path"].as_str().unwrap_or_default();
            rows.push(json!({
                "at": section["at"], "machine": section["machine_name"], "kind": change["kind"],
                "what": format!("{}{path}", section["section"].as_str().unwrap_or_default()),
                "before": brief(&change["before"]), "after": brief(&change["after"]),
            }));
        }
    }
    session.out.table(&Value::Array(rows), &["at", "machine", "kind", "what", "before", "after"])
}

/// Of an item, its version or state; anything else cut short.
fn brief(value: &Value) -> Value {
    let telling = ["version", "state"].iter().find_map(|name| value.get(name));
    match telling.unwrap_or(value) {
        Value::Object(_) | Value::Array(_) => value.to_string().chars().take(60).collect::<String>().into(),
        plain => plain.clone(),
    }
}

async fn act(
    session: &Session,
    client: &Client,
    machine: &str,
    verb: &str,
    done: &str,
) -> anyhow::Result<()> {
    let id = machine_id(client, machine).await?;
    let answer = client.call(Method::POST, &format!("/api/v1/machines/{id}/{verb}"), Body::None).await?;
    session.out.done(&answer, &format!("{machine} {done}"))
}

/// A machine's id, from its id or its name where only one has it.
pub(super) async fn machine_id(client: &Client, machine: &str) -> anyhow::Result<String> {
    if machine.parse::<uuid::Uuid>().is_ok() {
        return Ok(machine.into());
    }
    let selector = encoded(&format!("name:\"{}\"", machine.replace('"', "")));
    let found = client.get(&format!("/api/v1/machines?limit=2&q={selector}")).await?;
    let ids: Vec<&str> =
        found["items"].as_array().into_iter().flatten().filter_map(|m| m["id"].as_str()).collect();
    match ids[..] {
        [id] => Ok(id.into()),
        [] => bail!("there is no machine `{machine}`"),
        _ => bail!("several machines are named `{machine}`; give an id from `sysmanage machine list`"),
    }
}

/// Enrolment tokens.
#[derive(Debug, Subcommand)]
pub(super) enum EnrolmentTokenCommand {
    /// Create a token and print it with the command that enrols a machine.
    Create {
        /// What it is for.
        #[arg(long, default_value = "")]
        name: String,
        /// Tags that its machines get.
        #[arg(long = "tag")]
        tags: Vec<String>,
        /// Approve its machines at once, as far as the licence goes.
        #[arg(long)]
        auto_approve: bool,
        /// Machines that may use it; no limit when absent.
        #[arg(long)]
        max_uses: Option<u32>,
        /// Life in seconds.
        #[arg(long, default_value_t = 86_400)]
        expires_in_s: u32,
        /// Approve only machines that come from these networks, e.g. `10.0.0.0/8`.
        #[arg(long = "approve-network")]
        approve_networks: Vec<String>,
    },
    /// List tokens with their state.
    List,
    /// Revoke a token. Machines that joined with it stay.
    Revoke {
        /// Its id.
        id: String,
    },
}

impl EnrolmentTokenCommand {
    pub(super) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let client = session.client().await?;
        match self {
            Self::Create { name, tags, auto_approve, max_uses, expires_in_s, approve_networks } => {
                let body = json!({"name": name, "tags": tags, "auto_approve": auto_approve, "max_uses": max_uses,
                    "expires_in_s": expires_in_s, "approve_networks": approve_networks});
                session.out.thing(&client.post("/api/v1/enrolment-tokens", body).await?)
            }
            Self::List => {
                let columns = ["id", "name", "state", "uses", "max_uses", "expires_at", "last_used_at"];
                session.out.table(&client.get("/api/v1/enrolment-tokens?limit=500").await?, &columns)
            }
            Self::Revoke { id } => {
                client.delete(&format!("/api/v1/enrolment-tokens/{}", encoded(&id))).await?;
                session.out.done(&json!({"id": id}), "the token is revoked")
            }
        }
    }
}
