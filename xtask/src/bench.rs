//! `cargo xtask bench`: optimised builds that trust the development roots, then the load program.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::{
    engine,
    postgres::Cluster,
    project::{Project, run_command},
    setup,
};

/// Names the server the inventory is measured on.
const POSTGRES: &str = "SYSMANAGE_TEST_POSTGRES_URL";

/// Which benchmarks, and how large.
#[derive(clap::Args)]
pub struct Options {
    /// Only these: calls, throughput, load, sql, fleet, agent, traffic, inventory, listing, downloads.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Write the tables into README.md and docs/benchmarks.md.
    #[arg(long)]
    readme: bool,
    /// Pretend agents of `fleet`; 5000 unless told.
    #[arg(long)]
    agents: Option<usize>,
    /// Connections of `throughput`; 16 unless told.
    #[arg(long)]
    connections: Option<usize>,
    /// Seconds that `throughput` and `fleet` measure; 20 unless told.
    #[arg(long)]
    seconds: Option<u64>,
    /// Seconds that the idle agent is watched; 60 unless told.
    #[arg(long)]
    idle: Option<u64>,
    /// Machines of `inventory`; 10000 unless told.
    #[arg(long)]
    machines: Option<usize>,
    /// Packages of each of them; 800 unless told.
    #[arg(long)]
    packages: Option<usize>,
}

impl Options {
    fn wants(&self, figures: &[&str]) -> bool {
        self.only.is_empty() || self.only.iter().any(|o| figures.contains(&o.as_str()))
    }
}

/// Build what is needed, then run.
pub fn run(project: &Project, options: &Options) -> Result<()> {
    let bin = project.target().join("bench");
    fs::create_dir_all(&bin)?;
    build(project, options, &bin)?;
    let mut command = project.command(&bin.join("bench").to_string_lossy(), [] as [&str; 0]);
    if !options.only.is_empty() {
        command.arg("--only").arg(options.only.join(","));
    }
    let sizes = [
        ("--agents", options.agents.map(|n| n as u64)),
        ("--connections", options.connections.map(|n| n as u64)),
        ("--seconds", options.seconds),
        ("--idle", options.idle),
        ("--machines", options.machines.map(|n| n as u64)),
        ("--packages", options.packages.map(|n| n as u64)),
    ];
    for (flag, value) in sizes {
        if let Some(value) = value {
            command.args([flag, &value.to_string()]);
        }
    }
    if options.readme {
        command.arg("--readme").arg(project.root.join("README.md"));
        command.arg("--benchmarks").arg(project.root.join("docs/benchmarks.md"));
    }
    command.env("SYSMANAGE_BIN_DIR", &bin);
    if options.wants(&["downloads"]) {
        command.env("SYSMANAGE_NGINX", setup::nginx(project)?);
    }
    // A private cluster, unless the caller names a server.
    let _cluster = match options.wants(&["inventory", "listing"]) && std::env::var_os(POSTGRES).is_none() {
        true => {
            let cluster = Cluster::start(project)?;
            command.env(POSTGRES, &cluster.url);
            Some(cluster)
        }
        false => None,
    };
    run_command(command.env("SYSMANAGE_ENGINES_DIR", engine::out_dir(project)))
}

/// Host and load program trust the development roots, which a plain release build does not. The agent is built as it
/// is shipped: it meets no engine here.
fn build(project: &Project, options: &Options, bin: &Path) -> Result<()> {
    let mut wanted = vec![("benches", "bench")];
    if options.wants(&["throughput", "fleet", "agent", "traffic"]) {
        wanted.push(("sysmanage", "sysmanage"));
    }
    if options.wants(&["fleet"]) {
        wanted.push(("agent-sim", "agent-sim"));
    }
    let mut features = "benches/development-keys".to_owned();
    if options.wants(&["downloads"]) {
        wanted.push(("sysmanage-portal", "sysmanage-portal"));
        features.push_str(",sysmanage-portal/development-keys");
    }
    let packages = wanted.iter().flat_map(|(package, _)| ["-p", package]);
    let build = ["build", "--locked", "--release", "--features", &features];
    project.run("cargo", build.into_iter().chain(packages))?;
    for (_, program) in &wanted {
        copy(&project.target().join("release").join(program), bin)?;
    }
    if options.wants(&["agent", "traffic"]) {
        project.run("cargo", ["build", "--locked", "--profile", "agent", "-p", "sysmanage-agent"])?;
        copy(&project.target().join("agent/sysmanage-agent"), bin)?;
    }
    if options.wants(&["calls", "throughput", "load", "sql", "downloads"]) {
        engine::build_for_benches(project)?;
    }
    Ok(())
}

fn copy(program: &Path, into: &Path) -> Result<()> {
    let name = program.file_name().context("a program has a name")?;
    let target = into.join(name);
    // A running program cannot be overwritten, but its name can be taken away.
    let _ = fs::remove_file(&target);
    fs::copy(program, &target).with_context(|| program.display().to_string())?;
    Ok(())
}
