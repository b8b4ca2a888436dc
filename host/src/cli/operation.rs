//! `sysmanage operation`.

use std::{process::ExitCode, time::Duration};

use clap::Subcommand;
use http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Session,
    client::{Body, Client},
};

const POLL: Duration = Duration::from_millis(500);

/// Operations.
#[derive(Debug, Subcommand)]
pub(super) enum OperationCommand {
    /// List operations, newest first.
    List,
    /// Show an operation and its tasks.
    Show {
        /// Id.
        id: Uuid,
    },
    /// Follow an operation's output until it is finished. Exit code 1 unless all tasks succeeded.
    Watch {
        /// Id.
        id: Uuid,
    },
    /// Stop an operation.
    Cancel {
        /// Id.
        id: Uuid,
    },
    /// Run again what did not succeed, as a new operation.
    Retry {
        /// Id.
        id: Uuid,
    },
}

impl OperationCommand {
    pub(super) async fn run(self, session: &Session) -> anyhow::Result<ExitCode> {
        let client = session.client().await?;
        match self {
            Self::List => {
                let list = client.get("/api/v1/operations?limit=100").await?;
                session.out.table(&list, &["id", "command", "title", "state", "total", "created_at"])?;
            }
            Self::Show { id } => {
                let operation = client.get(&format!("/api/v1/operations/{id}")).await?;
                let tasks = client.get(&format!("/api/v1/operations/{id}/tasks?limit=500")).await?;
                if session.out.json {
                    session.out.json(&json!({"operation": operation, "tasks": tasks["items"]}))?;
                } else {
                    session.out.thing(&operation)?;
                    session.out.line("")?;
                    session.out.table(&tasks, &["id", "machine_name", "state", "attempt", "exit_code"])?;
                }
            }
            Self::Watch { id } => return watch(session, &client, id).await,
            Self::Cancel { id } => {
                let answer =
                    client.call(Method::POST, &format!("/api/v1/operations/{id}/cancel"), Body::None).await?;
                session.out.done(&answer, "asked to stop")?;
            }
            Self::Retry { id } => {
                let body = json!({"tasks": [], "states": []});
                let new = client.post(&format!("/api/v1/operations/{id}/retry"), body).await?;
                session.out.done(&new, &format!("runs again as {}", new["id"].as_str().unwrap_or("?")))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn watch(session: &Session, client: &Client, id: Uuid) -> anyhow::Result<ExitCode> {
    let mut seen = std::collections::HashMap::new();
    loop {
        let operation = client.get(&format!("/api/v1/operations/{id}")).await?;
        let tasks = client.get(&format!("/api/v1/operations/{id}/tasks?limit=500")).await?;
        for task in tasks["items"].as_array().into_iter().flatten() {
            follow(session, client, task, &mut seen).await?;
        }
        if !operation["finished_at"].is_null() {
            let all = tasks["items"].as_array().is_some_and(|t| t.iter().all(|t| t["state"] == "succeeded"));
            return Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn follow(
    session: &Session,
    client: &Client,
    task: &Value,
    seen: &mut std::collections::HashMap<String, (i64, String)>,
) -> anyhow::Result<()> {
    let (id, machine) =
        (task["id"].as_str().unwrap_or_default(), task["machine_name"].as_str().unwrap_or("?"));
    let state = task["state"].as_str().unwrap_or("?").to_owned();
    let (last, shown) = seen.entry(id.into()).or_default();
    let output = client.get(&format!("/api/v1/tasks/{id}/output?after={last}")).await?;
    for chunk in output["chunks"].as_array().into_iter().flatten() {
        *last = chunk["seq"].as_i64().unwrap_or(*last).max(*last);
        if session.out.json {
            session.out.line(&json!({"machine": machine, "task": id, "output": chunk}).to_string())?;
        } else {
            session.out.raw(chunk["text"].as_str().unwrap_or_default().as_bytes())?;
        }
    }
    if *shown != state {
        let line = json!({"machine": machine, "task": id, "state": state}).to_string();
        session.out.line(&if session.out.json { line } else { format!("[{machine}: {state}]") })?;
        *shown = state;
    }
    Ok(())
}
