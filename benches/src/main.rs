//! `bench`: measures engine against host, service against database, fleet and agent. `cargo xtask bench` builds and runs it.
//!
//! Every figure is a ratio of two sides that took turns within this run, so that what else the machine does falls on
//! both. What cannot be measured says why.

mod agent;
mod calls;
mod client;
mod downloads;
mod engine;
mod fleet;
mod host;
mod inventory;
mod load;
mod padded;
mod proc;
mod report;
mod sampling;
mod sql;
mod throughput;
mod traffic;

use std::{io::Write, path::PathBuf, process::ExitCode};

use clap::{Parser, ValueEnum};

use report::{Row, Table};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Figure {
    /// One engine call against the same axum router called directly.
    Calls,
    /// Requests a second over HTTPS, engine's route against a built-in one.
    Throughput,
    /// Verify and load a package of 10 MB.
    Load,
    /// SQL through the engine against sqlx on the same file.
    Sql,
    /// Thousands of pretend agents on one host.
    Fleet,
    /// One idle agent.
    Agent,
    /// What an agent sends: the first inventory, an idle day.
    Traffic,
    /// Thousands of machines with hundreds of packages each.
    Inventory,
    /// Filters over a hundred thousand machines.
    Listing,
    /// Downloads from the portal against nginx.
    Downloads,
}

/// Benchmarks of SysManage, as one markdown table.
#[derive(Debug, Parser)]
#[command(name = "bench", version)]
pub struct Options {
    /// Only these.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Figure>,
    /// Write the table between `<!-- bench:begin -->` and `<!-- bench:end -->` of this file.
    #[arg(long)]
    readme: Option<PathBuf>,
    /// Write the table of `inventory` and `listing` between the same marks of this file.
    #[arg(long)]
    benchmarks: Option<PathBuf>,
    /// Pretend agents of `fleet`.
    #[arg(long, default_value_t = 5000)]
    agents: usize,
    /// Connections of `throughput`.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Seconds that `throughput` and `fleet` measure.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Seconds that the idle agent is watched.
    #[arg(long, default_value_t = 60)]
    idle: u64,
    /// Days that `traffic` lets pass, five minutes each.
    #[arg(long, default_value_t = 1)]
    days: u64,
    /// Machines of `inventory`; smaller fleets are measured for comparison.
    #[arg(long, default_value_t = 10_000)]
    machines: usize,
    /// Packages of each.
    #[arg(long, default_value_t = 800)]
    packages: usize,
}

fn main() -> ExitCode {
    // The isolated engine runs in a child of this program.
    if std::env::args_os().nth(1).is_some_and(|a| a == "engine-worker") {
        return plugin_runtime::worker::main();
    }
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(run(&options))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> anyhow::Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (mut table, mut large) = (Table::default(), Table::default());
    for figure in Figure::value_variants() {
        if !options.only.is_empty() && !options.only.contains(figure) {
            continue;
        }
        let _ = writeln!(std::io::stderr(), "measuring {figure:?} ...");
        let table =
            if matches!(figure, Figure::Inventory | Figure::Listing) { &mut large } else { &mut table };
        match measure(*figure, options).await {
            Ok(rows) => rows.into_iter().for_each(|row| table.add(row)),
            Err(error) => table.add(Row::unmeasured(&format!("{figure:?}"), &error)),
        }
    }
    for (table, file) in [(table, &options.readme), (large, &options.benchmarks)] {
        if table.is_empty() {
            continue;
        }
        let text = table.markdown();
        std::io::stdout().write_all(text.as_bytes())?;
        if let Some(file) = file {
            report::write_between(file, &text)?;
        }
    }
    Ok(())
}

async fn measure(figure: Figure, options: &Options) -> anyhow::Result<Vec<Row>> {
    match figure {
        Figure::Calls => calls::measure().await,
        Figure::Throughput => throughput::measure(options).await,
        Figure::Load => load::measure().await,
        Figure::Sql => sql::measure().await,
        Figure::Fleet => fleet::measure(options).await,
        Figure::Agent => agent::measure(options).await,
        Figure::Traffic => traffic::measure(options).await,
        Figure::Inventory => inventory::measure(options).await,
        Figure::Listing => inventory::listing().await,
        Figure::Downloads => downloads::measure().await,
    }
}
