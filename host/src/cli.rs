//! The command line. Commands talk to the running host over its admin socket, or to `--server` with a token.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the host cannot be reached, 4 the host refused.

mod account;
mod agent;
mod audit;
mod client;
mod engine;
mod host;
mod license;
mod machine;
mod marketplace;
mod metric;
mod operation;
mod organise;
mod output;
mod package;
mod role;
mod shell;
mod software;
mod target;

use std::{io::Write, path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::config::Config;
use client::ClientError;
pub(crate) use client::{Body, Client, encoded};
pub(crate) use output::Output;

/// SysManage server.
#[derive(Debug, Parser)]
#[command(
    name = "sysmanage",
    version,
    about = "Fleet management with signed, licensed engines",
    max_term_width = 110
)]
struct Cli {
    /// Configuration file; else ./sysmanage.toml, else /etc/sysmanage/sysmanage.toml, where there is one.
    #[arg(long, global = true, env = "SYSMANAGE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Data directory, over the configuration.
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Talk to this host over HTTPS instead of the admin socket.
    #[arg(long, global = true, env = "SYSMANAGE_SERVER", value_name = "URL")]
    server: Option<String>,
    /// API token for --server.
    #[arg(long, global = true, env = "SYSMANAGE_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: Option<String>,
    /// PEM file of the authority that --server's certificate comes from.
    #[arg(long, global = true, env = "SYSMANAGE_CA", value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Print JSON, for programs.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the host.
    Serve(host::Serve),
    /// Print a new first-run set-up link.
    Setup,
    /// Check or show the configuration.
    #[command(subcommand)]
    Config(host::ConfigCommand),
    /// Manage users.
    #[command(subcommand)]
    User(account::UserCommand),
    /// Manage API tokens.
    #[command(subcommand, name = "api-token", alias = "token")]
    Token(account::TokenCommand),
    /// Manage machines.
    #[command(subcommand)]
    Machine(machine::MachineCommand),
    /// Look at figures of machines: processor, memory, disks, network.
    #[command(subcommand)]
    Metric(metric::MetricCommand),
    /// Look at software across machines.
    #[command(subcommand)]
    Software(software::SoftwareCommand),
    /// Look at updates across machines.
    #[command(subcommand)]
    Update(software::UpdateCommand),
    /// Manage enrolment tokens.
    #[command(subcommand, name = "enrolment-token")]
    EnrolmentToken(machine::EnrolmentTokenCommand),
    /// Install, remove and upgrade packages on machines.
    #[command(subcommand)]
    Package(package::PackageCommand),
    /// Start, stop and configure services on machines.
    #[command(subcommand)]
    Service(package::ServiceCommand),
    /// Manage releases of the agent.
    #[command(subcommand, name = "agent-release")]
    AgentRelease(agent::ReleaseCommand),
    /// Roll releases of the agent out.
    #[command(subcommand, name = "agent-rollout")]
    AgentRollout(agent::RolloutCommand),
    /// Manage tags and their rules.
    #[command(subcommand)]
    Tag(organise::TagCommand),
    /// Manage saved searches.
    #[command(subcommand)]
    Search(organise::SearchCommand),
    /// Follow and steer operations.
    #[command(subcommand)]
    Operation(operation::OperationCommand),
    /// Manage engines.
    #[command(subcommand)]
    Engine(engine::EngineCommand),
    /// Look at the portal, and decide what the host takes from it by itself.
    #[command(subcommand)]
    Marketplace(marketplace::MarketplaceCommand),
    /// Manage the licence.
    #[command(subcommand)]
    License(license::LicenseCommand),
    /// Manage roles.
    #[command(subcommand)]
    Role(role::RoleCommand),
    /// Read the activity log.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Save database, keys, engines and configuration to one file.
    Backup(host::Backup),
    /// Bring back what `backup` saved, on a host that is stopped.
    Restore(host::Restore),
    /// Look for what is wrong, and say what to do.
    Doctor,
    /// Print the OpenAPI document of the host's own routes.
    Openapi,
    /// Print completions for a shell.
    Completions(shell::Completions),
    /// Print the manual page, or write every page to a folder.
    Man(shell::Man),
}

/// What a command may need: flags, and where to print.
struct Session {
    cli: Globals,
    out: Output,
}

struct Globals {
    config: Option<PathBuf>,
    data_dir: Option<PathBuf>,
    server: Option<String>,
    token: Option<String>,
    ca: Option<PathBuf>,
}

impl Session {
    /// The configuration, with flags applied.
    fn config(&self) -> anyhow::Result<Config> {
        let environment = std::env::vars().collect();
        let mut config = Config::load(self.config_file().as_deref(), &environment)?;
        if let Some(data_dir) = &self.cli.data_dir {
            config.data_dir = data_dir.clone();
        }
        Ok(config)
    }

    /// The configuration file in force.
    fn config_file(&self) -> Option<PathBuf> {
        let usual = ["sysmanage.toml", "/etc/sysmanage/sysmanage.toml"].map(PathBuf::from);
        self.cli.config.clone().or_else(|| usual.into_iter().find(|f| f.is_file()))
    }

    /// A client of the host.
    async fn client(&self) -> anyhow::Result<Client> {
        match &self.cli.server {
            Some(server) => Client::https(server, self.cli.token.clone(), self.cli.ca.as_deref()),
            None => Ok(Client::socket(self.config()?.data_dir.join(crate::serve::ADMIN_SOCKET))),
        }
    }
}

/// Entry of the program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let context = Session {
        out: Output { json: cli.json },
        cli: Globals {
            config: cli.config,
            data_dir: cli.data_dir,
            server: cli.server,
            token: cli.token,
            ca: cli.ca,
        },
    };
    match run(context, cli.command) {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            match error.downcast_ref::<ClientError>() {
                Some(ClientError::Unreachable { .. }) => ExitCode::from(3),
                Some(ClientError::Refused { .. }) => ExitCode::from(4),
                None => ExitCode::FAILURE,
            }
        }
    }
}

fn run(context: Session, command: Command) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no threads")?;
    let done = runtime.block_on(dispatch(&context, command));
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    done
}

async fn dispatch(context: &Session, command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(serve) => serve.run(context).await?,
        Command::Setup => host::setup(context).await?,
        Command::Config(command) => command.run(context)?,
        Command::User(command) => command.run(context).await?,
        Command::Token(command) => command.run(context).await?,
        Command::Machine(command) => return command.run(context).await,
        Command::Package(command) => return command.run(context).await,
        Command::Service(command) => return command.run(context).await,
        Command::Metric(command) => command.run(context).await?,
        Command::Software(command) => command.run(context).await?,
        Command::Update(command) => command.run(context).await?,
        Command::EnrolmentToken(command) => command.run(context).await?,
        Command::AgentRelease(command) => command.run(context).await?,
        Command::AgentRollout(command) => command.run(context).await?,
        Command::Tag(command) => command.run(context).await?,
        Command::Search(command) => command.run(context).await?,
        Command::Operation(command) => return command.run(context).await,
        Command::Engine(command) => command.run(context).await?,
        Command::Marketplace(command) => command.run(context).await?,
        Command::License(command) => command.run(context).await?,
        Command::Role(command) => command.run(context).await?,
        Command::Audit(command) => command.run(context).await?,
        Command::Backup(backup) => backup.run(context).await?,
        Command::Restore(restore) => restore.run(context).await?,
        Command::Doctor => return crate::doctor::cli(context.config()?, context.out.json).await,
        Command::Completions(completions) => completions.print(&mut std::io::stdout())?,
        Command::Man(man) => man.write(&mut std::io::stdout())?,
        Command::Openapi => {
            let document = crate::http::openapi::Document::of(&crate::http::router::document());
            context.out.json(&document.0)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
