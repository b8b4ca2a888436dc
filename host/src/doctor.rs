//! `sysmanage doctor`: looks at configuration, files, database, certificates, clock and engines.

mod checks;

use std::{path::Path, process::ExitCode};

use serde::Serialize;

use crate::{cli::Output, config::Config};

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Good.
    Good,
    /// Works, but look at it.
    Warning,
    /// Does not work.
    Bad,
}

/// What a check found.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// How it went.
    pub health: Health,
    /// What was seen.
    pub seen: String,
    /// What to do; empty when good.
    pub advice: String,
}

impl Finding {
    fn good(check: &'static str, seen: impl Into<String>) -> Self {
        Self { check, health: Health::Good, seen: seen.into(), advice: String::new() }
    }

    fn warning(check: &'static str, seen: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, health: Health::Warning, seen: seen.into(), advice: advice.into() }
    }

    fn bad(check: &'static str, seen: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, health: Health::Bad, seen: seen.into(), advice: advice.into() }
    }
}

/// Look at everything. Changes nothing.
pub async fn examine(config: &Config) -> Vec<Finding> {
    let data_dir = std::path::absolute(&config.data_dir).unwrap_or_else(|_| config.data_dir.clone());
    let mut findings = vec![checks::configuration(config)];
    if !data_dir.is_dir() {
        let advice = "`sysmanage serve` creates it; or set --data-dir or data_dir";
        findings.push(Finding::bad("data directory", format!("{} is not there", data_dir.display()), advice));
        return findings;
    }
    findings.extend(files(&data_dir));
    findings.extend(checks::certificates(&data_dir));
    findings.extend(checks::database(config, &data_dir).await);
    findings.extend(checks::running(&data_dir).await);
    findings
}

fn files(data_dir: &Path) -> Vec<Finding> {
    let mut findings = checks::permissions(data_dir);
    findings.push(checks::disk(data_dir));
    findings
}

/// Print the findings; exit code 1 when something is bad.
pub(crate) async fn cli(config: Config, json: bool) -> anyhow::Result<ExitCode> {
    let findings = examine(&config).await;
    let out = Output { json };
    if json {
        out.json(&findings)?;
    } else {
        for finding in &findings {
            let mark = match finding.health {
                Health::Good => "good   ",
                Health::Warning => "warning",
                Health::Bad => "BAD    ",
            };
            out.line(&format!("{mark}  {}: {}", finding.check, finding.seen))?;
            if !finding.advice.is_empty() {
                out.line(&format!("         -> {}", finding.advice))?;
            }
        }
    }
    let bad = findings.iter().any(|f| f.health == Health::Bad);
    Ok(if bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
