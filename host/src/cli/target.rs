//! Where a command runs, and following it until it has ended.

use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use serde_json::{Value, json};

use super::{Session, client::Client, machine::machine_id};

const POLL: Duration = Duration::from_millis(300);
/// Columns of the progress line.
const BAR: usize = 30;

/// Which machines, and whether to wait.
#[derive(Debug, Args)]
pub(super) struct Target {
    /// Selector of the machines, e.g. `tag:web os:debian`.
    #[arg(long, value_name = "SELECTOR", required_unless_present = "machine")]
    on: Option<String>,
    /// Machine by id or name; may be repeated.
    #[arg(long, value_name = "MACHINE", conflicts_with = "on")]
    machine: Vec<String>,
    /// Wait until it has ended. Exit code 1 unless all succeeded.
    #[arg(long)]
    wait: bool,
    /// Machines at the same time; all when absent.
    #[arg(long, value_name = "N")]
    concurrency: Option<u32>,
    /// Seconds it may take on a machine.
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u32>,
}

impl Target {
    /// Ask the host to run something, say what was made of it, and wait if that was asked for.
    pub(super) async fn run(
        &self,
        session: &Session,
        path: &str,
        parameters: Value,
    ) -> anyhow::Result<ExitCode> {
        let client = session.client().await?;
        let mut body = json!({"parameters": parameters});
        if let Some(selector) = &self.on {
            body["selector"] = json!(selector);
        }
        let mut ids = Vec::new();
        for machine in &self.machine {
            ids.push(machine_id(&client, machine).await?);
        }
        body["machines"] = json!(ids);
        body["concurrency"] = json!(self.concurrency.unwrap_or(0));
        body["timeout_s"] = json!(self.timeout.unwrap_or(0));
        let operation = client.post(&format!("/api/v1/operations/{path}"), body).await?;
        let id = operation["id"].as_str().unwrap_or_default().to_owned();
        if !self.wait {
            let title = operation["title"].as_str().unwrap_or_default();
            let sentence = format!("{title}: follow it with `sysmanage operation watch {id}`");
            session.out.done(&operation, &sentence)?;
            return Ok(ExitCode::SUCCESS);
        }
        wait(session, &client, &operation, &id).await
    }
}

async fn wait(session: &Session, client: &Client, operation: &Value, id: &str) -> anyhow::Result<ExitCode> {
    let title = operation["title"].as_str().unwrap_or_default().to_owned();
    if !session.out.json {
        session.out.line(&title)?;
    }
    // One machine's output is for reading; many machines' is for counting.
    let alone = operation["total"] == 1 && !session.out.json;
    let mut shown = Shown::default();
    loop {
        let now = client.get(&format!("/api/v1/operations/{id}")).await?;
        if alone {
            shown.output(session, client, id).await?;
        } else {
            shown.bar(&now)?;
        }
        if !now["finished_at"].is_null() {
            shown.end()?;
            return report(session, client, now, id).await;
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn report(session: &Session, client: &Client, operation: Value, id: &str) -> anyhow::Result<ExitCode> {
    let tasks = client.get(&format!("/api/v1/operations/{id}/tasks?limit=500")).await?;
    let succeeded = operation["counts"]["succeeded"] == operation["total"];
    if session.out.json {
        session.out.json(&json!({"operation": operation, "tasks": tasks["items"]}))?;
    } else {
        session.out.table(&tasks, &["machine_name", "state", "error.code", "error.message"])?;
    }
    Ok(if succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What the terminal shows so far.
#[derive(Default)]
struct Shown {
    task: Option<String>,
    seen: u64,
    line: bool,
}

impl Shown {
    async fn output(&mut self, session: &Session, client: &Client, id: &str) -> anyhow::Result<()> {
        if self.task.is_none() {
            let tasks = client.get(&format!("/api/v1/operations/{id}/tasks?limit=1")).await?;
            self.task = tasks["items"][0]["id"].as_str().map(str::to_owned);
        }
        let Some(task) = &self.task else { return Ok(()) };
        let output = client.get(&format!("/api/v1/tasks/{task}/output?after={}", self.seen)).await?;
        for chunk in output["chunks"].as_array().into_iter().flatten() {
            self.seen = chunk["seq"].as_u64().unwrap_or(self.seen).max(self.seen);
            session.out.raw(chunk["text"].as_str().unwrap_or_default().as_bytes())?;
        }
        Ok(())
    }

    fn bar(&mut self, operation: &Value) -> anyhow::Result<()> {
        if !std::io::stderr().is_terminal() {
            return Ok(());
        }
        self.line = true;
        Ok(write!(std::io::stderr(), "\r{}", bar(operation))?)
    }

    fn end(&mut self) -> anyhow::Result<()> {
        if std::mem::take(&mut self.line) {
            writeln!(std::io::stderr())?;
        }
        Ok(())
    }
}

/// `[#######-------] 3 of 12 ended, 1 failed`
fn bar(operation: &Value) -> String {
    let count = |state: &str| operation["counts"][state].as_u64().unwrap_or(0);
    let total = operation["total"].as_u64().unwrap_or(0).max(1);
    let open = count("queued") + count("dispatched") + count("running");
    let ended = total.saturating_sub(open);
    let failed = ended.saturating_sub(count("succeeded"));
    let filled = usize::try_from(ended * BAR as u64 / total).unwrap_or(BAR).min(BAR);
    let bar = format!("[{}{}]", "#".repeat(filled), "-".repeat(BAR - filled));
    let trouble = if failed > 0 { format!(", {failed} failed") } else { String::new() };
    format!("{bar} {ended} of {total} ended, {} running{trouble} ", count("running"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_tells_how_many_have_ended_and_how_many_failed() {
        let operation =
            json!({"total": 4, "counts": {"succeeded": 1, "failed": 1, "running": 1, "queued": 1}});
        let want = format!("[{}{}] 2 of 4 ended, 1 running, 1 failed ", "#".repeat(15), "-".repeat(15));
        assert_eq!(bar(&operation), want);
    }
}
