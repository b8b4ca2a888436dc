//! `cargo xtask console`: the web console built and tested; `cargo xtask openapi`: the document its client is made from.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, bail};

use crate::{
    engine,
    project::{Project, run_command},
};

/// What to do with the API's document.
#[derive(clap::Args)]
pub struct Openapi {
    /// Fail when the committed files are not what the host says, instead of writing them.
    #[arg(long)]
    pub check: bool,
}

fn folder(project: &Project) -> PathBuf {
    project.root.join("console")
}

fn npm(project: &Project, args: &[&str]) -> Result<()> {
    let mut command = project.command("npm", args);
    run_command(command.current_dir(folder(project)).env("CI", "true"))
}

/// Packages as the lock file has them; nothing to do when they are there already.
fn install(project: &Project) -> Result<()> {
    let lock = folder(project).join("package-lock.json");
    let stamp = folder(project).join("node_modules/.package-lock.json");
    let time = |path: &PathBuf| fs::metadata(path).and_then(|m| m.modified()).ok();
    if time(&stamp).is_some_and(|installed| time(&lock).is_some_and(|locked| installed >= locked)) {
        return Ok(());
    }
    npm(project, &["ci", "--no-audit", "--no-fund", "--loglevel=error"])
}

/// Build the console, for the next build of the host to take in.
pub fn build(project: &Project) -> Result<()> {
    install(project)?;
    npm(project, &["run", "--silent", "build", "--", "--logLevel", "warn"])
}

/// Its types and its tests without a browser.
pub fn check(project: &Project) -> Result<()> {
    install(project)?;
    npm(project, &["test", "--silent"])
}

/// Write, or compare, `console/openapi.json` and the client's types, which are made from it.
pub fn openapi(project: &Project, options: &Openapi) -> Result<()> {
    project.build_programs()?;
    let host = project.target().join("debug/sysmanage");
    let out = project.command(&host.to_string_lossy(), ["openapi"]).output()?;
    if !out.status.success() {
        bail!("`sysmanage openapi` failed: {}", String::from_utf8_lossy(&out.stderr));
    }
    let document: serde_json::Value = serde_json::from_slice(&out.stdout).context("the host's document")?;
    let text = format!("{}\n", serde_json::to_string_pretty(&document)?);
    let file = folder(project).join("openapi.json");
    if !options.check {
        fs::write(&file, text)?;
        install(project)?;
        return npm(project, &["run", "--silent", "client"]);
    }
    if fs::read_to_string(&file).unwrap_or_default() != text {
        bail!("console/openapi.json is not what the host says: run `cargo xtask openapi` and commit it");
    }
    Ok(())
}

/// The console in a browser, against a real host, agent and engines.
pub fn browser(project: &Project) -> Result<()> {
    build(project)?;
    project.build_programs()?;
    let mut command = project.command("npx", ["playwright", "test"]);
    command.current_dir(folder(project)).env("CI", "true");
    command.env("SYSMANAGE_BIN_DIR", project.target().join("debug"));
    run_command(command.env("SYSMANAGE_ENGINES_DIR", engine::out_dir(project)))
}
