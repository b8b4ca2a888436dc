//! An engine's console pages: built with the console's tools, where Node.js is there. Rust alone builds without.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};

use crate::project::{Project, run_command};

/// What builds an engine's pages: part of the plugin-kit.
const BUILDER: &str = "console/src/plugin-kit/build/build.mjs";

/// Build `ui/` of the engine in `dir`; the answer is the folder to pack. `None` for an engine without pages, and where the
/// tools are missing: the engine then serves everything but pages.
pub fn build(project: &Project, dir: &Path) -> Result<Option<PathBuf>> {
    let ui = dir.join("ui");
    if !ui.join("package.json").is_file() {
        return Ok(None);
    }
    if std::env::var_os("SYSMANAGE_WITHOUT_PAGES").is_some() || !tools(project)? {
        eprintln!(
            "{} is packed without its console pages: they need Node.js with npm, and no SYSMANAGE_WITHOUT_PAGES",
            dir.display()
        );
        return Ok(None);
    }
    if ui.join("package-lock.json").is_file() {
        run_command(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&ui))?;
    }
    run_command(Command::new("node").arg(project.root.join(BUILDER)).arg(&ui).current_dir(&ui))?;
    let built = ui.join("dist");
    ensure!(built.join("index.js").is_file(), "{} holds no index.js after the build", built.display());
    Ok(Some(built))
}

/// Whether the console's tools can be used; they are installed from its lock file when they are not there.
fn tools(project: &Project) -> Result<bool> {
    let console = project.root.join("console");
    let there = |name: &str| Command::new(name).arg("--version").output().is_ok_and(|o| o.status.success());
    let needed = [project.root.join(BUILDER), console.join("package-lock.json")];
    if !needed.iter().all(|file| file.is_file()) || !there("node") || !there("npm") {
        return Ok(false);
    }
    if !console.join("node_modules/vite").is_dir() {
        run_command(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&console))?;
    }
    Ok(true)
}
