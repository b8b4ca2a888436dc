//! The command line.

mod enroll;
mod serve;
mod show;

use std::{
    io::{self, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, CommandFactory as _, Parser, Subcommand};
use tracing_subscriber::{filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::{config, config::Config, facts, inventory::SECTIONS};

/// The SysManage agent: makes this machine manageable by a host.
#[derive(Debug, Parser)]
#[command(name = "sysmanage-agent", version)]
pub struct Cli {
    /// The data folder.
    #[arg(long, global = true, default_value = config::DEFAULT_DATA, env = "SYSMANAGE_AGENT_DATA")]
    data: PathBuf,
    /// The folder of agent.toml and policy.toml; /etc/sysmanage-agent, or the data folder when that is chosen.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make this machine one of a host's.
    Enroll(EnrollArgs),
    /// Run until SIGTERM.
    Run,
    /// Show how the agent of this machine does.
    Status {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// The owner's policy.
    Policy {
        #[command(subcommand)]
        action: PolicyAction,
    },
    /// Show what would be sent of this machine.
    Inventory {
        /// Only these sections.
        #[arg(value_parser = clap::builder::PossibleValuesParser::new(SECTIONS))]
        sections: Vec<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Run a job of the agent to its end; the agent calls this.
    #[command(hide = true)]
    RunJob {
        /// The job's folder.
        folder: PathBuf,
    },
    /// Show the version.
    Version,
}

#[derive(Debug, Args)]
struct EnrollArgs {
    /// The host's gateway, https://host[:8444].
    #[arg(long)]
    server: String,
    /// Enrolment token.
    #[arg(long, env = "SYSMANAGE_AGENT_TOKEN", hide_env_values = true)]
    token: String,
    /// SHA-256 of the host's authority; without it the first one seen is trusted.
    #[arg(long, value_name = "HEX")]
    ca_fingerprint: Option<String>,
    /// Name for people; the host name when left out.
    #[arg(long)]
    name: Option<String>,
    /// Seconds to wait for approval.
    #[arg(long, default_value_t = 3600)]
    wait: u64,
}

#[derive(Debug, Subcommand)]
enum PolicyAction {
    /// Check policy.toml, and show whether a command would be allowed.
    Check {
        /// Commands to ask about, e.g. automation_engine.run_script.
        commands: Vec<String>,
    },
}

/// The definition of the command line, for manuals and completions.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Parse the arguments and do it.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            // A closed standard error leaves nobody to tell.
            drop(writeln!(io::stderr(), "error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    if let Command::RunJob { folder } = &cli.command {
        // Before anything else is read: a job runs even when the configuration has meanwhile become wrong.
        crate::tasks::job::run(folder)?;
        return Ok(ExitCode::SUCCESS);
    }
    let folder = cli.config.clone().unwrap_or_else(|| config::folder(&cli.data));
    let environment =
        std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
    let config = Config::load(&folder, environment)?;
    start_log(&config)?;
    let mut out = io::stdout().lock();
    match cli.command {
        Command::Enroll(args) => runtime()?.block_on(enroll::enroll(&cli.data, &config, args, &mut out))?,
        Command::Run => {
            drop(out);
            serve::run(&cli.data, &folder, &config)?;
        }
        Command::Status { json } => return show::status(&cli.data, json, &mut out),
        Command::Policy { action: PolicyAction::Check { commands } } => {
            return show::policy(&config.policy_path(&folder), &commands, &mut out);
        }
        Command::Inventory { sections, json } => show::inventory(&config, &sections, json, &mut out)?,
        Command::RunJob { .. } => {}
        Command::Version => writeln!(out, "sysmanage-agent {} ({})", facts::VERSION, facts::TARGET)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// One thread for everything that waits; what blocks runs on threads that end when idle.
fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(512)
        .thread_stack_size(1 << 20)
        .thread_keep_alive(std::time::Duration::from_secs(3))
        .build()
}

fn start_log(config: &Config) -> anyhow::Result<()> {
    // By target and level only: filters with fields would bring a regular expression engine.
    let filter: Targets = config.log.filter.parse()?;
    let log = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let registry = tracing_subscriber::registry().with(filter);
    if config.log.json {
        registry.with(log.json()).init();
    } else {
        registry.with(log.with_ansi(io::stderr().is_terminal())).init();
    }
    Ok(())
}
