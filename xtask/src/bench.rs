//! `cargo xtask bench`: optimised builds that trust the development roots, then the load program.

use anyhow::Result;

use crate::{
    engine,
    project::{Project, run_command},
};

/// Which benchmarks.
#[derive(clap::Args)]
pub struct Options {
    /// Only these: calls, throughput, load, sql, fleet, agent.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Write the table into README.md.
    #[arg(long)]
    write: bool,
}

/// Build and run.
pub fn run(project: &Project, options: &Options) -> Result<()> {
    let packages = ["-p", "sysmanage", "-p", "sysmanage-agent", "-p", "agent-sim", "-p", "benches"];
    let features = ["--features", "trust/development-keys,license-issuer/development-keys"];
    project.run("cargo", ["build", "--locked", "--release"].iter().chain(&packages).chain(&features))?;
    engine::build_for_benches(project)?;
    let mut command = project.command(&project.target().join("release/bench").to_string_lossy(), ["--only"]);
    command.arg(options.only.join(","));
    if options.write {
        command.arg("--readme").arg(project.root.join("README.md"));
    }
    command.env("SYSMANAGE_BIN_DIR", project.target().join("release"));
    run_command(command.env("SYSMANAGE_ENGINES_DIR", engine::out_dir(project)))
}
