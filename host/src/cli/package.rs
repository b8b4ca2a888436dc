//! `sysmanage package|service`.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Session, target::Target};

/// Flags of every change of packages.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Package manager, e.g. apt, snap; each machine's own when absent.
    #[arg(long)]
    manager: Option<String>,
    /// Say what would happen, change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Seconds to wait for another run's lock.
    #[arg(long, value_name = "SECONDS")]
    lock_wait: Option<u32>,
    #[command(flatten)]
    target: Target,
}

/// Packages on machines.
#[derive(Debug, Subcommand)]
pub(super) enum PackageCommand {
    /// Install packages.
    Install {
        /// Packages; `name=version` where the manager knows that form.
        #[arg(required = true)]
        packages: Vec<String>,
        #[command(flatten)]
        options: Options,
    },
    /// Remove packages.
    Remove {
        /// Packages.
        #[arg(required = true)]
        packages: Vec<String>,
        /// Configuration files too.
        #[arg(long)]
        purge: bool,
        /// What was installed only for them too.
        #[arg(long)]
        autoremove: bool,
        #[command(flatten)]
        options: Options,
    },
    /// Upgrade packages; all when none is named.
    Upgrade {
        /// Packages.
        packages: Vec<String>,
        /// Only what mends a weakness.
        #[arg(long, conflicts_with = "packages")]
        security: bool,
        #[command(flatten)]
        options: Options,
    },
    /// Fetch the package lists anew.
    Refresh {
        /// Package manager; each machine's own when absent.
        #[arg(long)]
        manager: Option<String>,
        #[command(flatten)]
        target: Target,
    },
}

impl PackageCommand {
    pub(super) async fn run(self, session: &Session) -> anyhow::Result<ExitCode> {
        match self {
            Self::Install { packages, options: o } => {
                let parameters = json!({"packages": packages, "manager": o.manager, "dry_run": o.dry_run,
                    "lock_wait_s": o.lock_wait});
                o.target.run(session, "packages/install", parameters).await
            }
            Self::Remove { packages, purge, autoremove, options: o } => {
                let parameters = json!({"packages": packages, "purge": purge, "autoremove": autoremove,
                    "manager": o.manager, "dry_run": o.dry_run, "lock_wait_s": o.lock_wait});
                o.target.run(session, "packages/remove", parameters).await
            }
            Self::Upgrade { packages, security, options: o } => {
                let parameters = json!({"packages": packages, "security_only": security, "manager": o.manager,
                    "dry_run": o.dry_run, "lock_wait_s": o.lock_wait});
                o.target.run(session, "packages/upgrade", parameters).await
            }
            Self::Refresh { manager, target } => {
                target.run(session, "packages/refresh", json!({"manager": manager})).await
            }
        }
    }
}

/// Services and where.
#[derive(Debug, Args)]
pub(super) struct Services {
    /// Services.
    #[arg(required = true)]
    services: Vec<String>,
    #[command(flatten)]
    target: Target,
}

/// Services to enable or disable, and where.
#[derive(Debug, Args)]
pub(super) struct Switched {
    #[command(flatten)]
    services: Services,
    /// Start or stop them now as well.
    #[arg(long)]
    now: bool,
}

/// Services on machines.
#[derive(Debug, Subcommand)]
pub(super) enum ServiceCommand {
    /// Start services.
    Start(Services),
    /// Stop services.
    Stop(Services),
    /// Restart services.
    Restart(Services),
    /// Let services read their configuration again.
    Reload(Services),
    /// Start services at every boot.
    Enable(Switched),
    /// Do not start services at boot.
    Disable(Switched),
}

impl ServiceCommand {
    pub(super) async fn run(self, session: &Session) -> anyhow::Result<ExitCode> {
        let (verb, services, now) = match self {
            Self::Start(services) => ("start", services, false),
            Self::Stop(services) => ("stop", services, false),
            Self::Restart(services) => ("restart", services, false),
            Self::Reload(services) => ("reload", services, false),
            Self::Enable(switched) => ("enable", switched.services, switched.now),
            Self::Disable(switched) => ("disable", switched.services, switched.now),
        };
        let parameters = json!({"services": services.services, "now": now});
        services.target.run(session, &format!("services/{verb}"), parameters).await
    }
}
