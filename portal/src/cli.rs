//! The command line, for the vendor's operator: commands work on the database and the data directory, beside a portal that
//! serves or without one.

use std::{io::Write, path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::Context;
use clap::{Parser, Subcommand};
use serde::Serialize;

use crate::{
    advisories::{NewAdvisory, Severity},
    app::App,
    clock::{SharedClock, SystemClock},
    config::Config,
    ctx::Ctx,
    licensing::Keys,
    releases::Channel,
    serve, tuf,
};

/// SysManage portal.
#[derive(Debug, Parser)]
#[command(
    name = "sysmanage-portal",
    version,
    about = "Sells, licenses and serves engines",
    max_term_width = 110
)]
struct Cli {
    /// Configuration file; else ./portal.toml, else /etc/sysmanage/portal.toml, where there is one.
    #[arg(long, global = true, env = "SYSMANAGE_PORTAL_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Data directory, over the configuration.
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the portal.
    Serve {
        /// Port to listen on, over the configuration; 0 for any free one.
        #[arg(long)]
        port: Option<u16>,
    },
    /// Verify a package and publish it.
    Publish {
        /// The package, `<id>-<version>.engine`.
        file: PathBuf,
        /// Channel of a version that is new.
        #[arg(long, default_value = "stable")]
        channel: Channel,
        /// The conformance report of this package; channels `stable` and `lts` need it.
        #[arg(long, value_name = "FILE")]
        report: Option<PathBuf>,
        /// A picture of the engine, PNG or WebP; its name is the caption. Several times for several.
        #[arg(long, value_name = "FILE")]
        screenshot: Vec<PathBuf>,
    },
    /// Withdraw a version: nobody downloads it any more.
    Yank {
        /// Engine.
        engine: String,
        /// Version.
        version: semver::Version,
        /// Why, for people.
        #[arg(long)]
        reason: String,
    },
    /// Take a withdrawal back.
    Unyank {
        /// Engine.
        engine: String,
        /// Version.
        version: semver::Version,
    },
    /// Move a version to another channel.
    Move {
        /// Engine.
        engine: String,
        /// Version.
        version: semver::Version,
        /// Channel.
        channel: Channel,
    },
    /// List releases.
    Releases,
    /// Make somebody who has signed up one of the vendor's staff.
    Staff {
        /// Their address.
        email: String,
        /// End it instead.
        #[arg(long)]
        remove: bool,
    },
    /// Advisories: what is wrong with versions of an engine.
    Advisory {
        #[command(subcommand)]
        what: AdvisoryCommand,
    },
    /// The lowest version of an engine that is still good.
    Floor {
        #[command(subcommand)]
        what: FloorCommand,
    },
    /// Take away the second factor of somebody who lost it.
    ResetSecondFactor {
        /// Their address.
        email: String,
    },
    /// Keys that sign licences, revocation lists and countersignatures.
    Keys {
        #[command(subcommand)]
        what: KeysCommand,
    },
    /// What hosts fetch through TUF.
    Tuf {
        #[command(subcommand)]
        what: TufCommand,
    },
    /// Write an air-gap bundle: metadata, engines, licences and revocations in one file.
    Bundle {
        /// The organisation: its id.
        #[arg(long)]
        organisation: uuid::Uuid,
        /// The file; it must not exist.
        #[arg(long)]
        out: PathBuf,
        /// Engines; all that the organisation may have, when absent.
        #[arg(long, value_delimiter = ',')]
        engines: Vec<String>,
        /// Rust target triples; all, when absent.
        #[arg(long, value_delimiter = ',')]
        targets: Vec<String>,
    },
    /// Print the configuration in force.
    Config,
}

#[derive(Debug, Subcommand)]
enum TufCommand {
    /// Write the first root, of the keys that the configuration names, for `distribution.root_file` and for hosts.
    FirstRoot {
        /// The file; it must not exist.
        #[arg(long)]
        out: PathBuf,
        /// How many of the root's keys must sign.
        #[arg(long, default_value_t = 1)]
        threshold: u64,
    },
    /// Sign what is new or expires soon. The portal does so by itself while it serves.
    Update,
    /// Give a role other keys: the next root, and all that is signed by it, in one go.
    Rotate {
        /// The role.
        role: tuf::Role,
        /// PEM file of a key from now on; may be repeated. None: sign the root anew with its keys of now.
        #[arg(long = "key-file")]
        key_files: Vec<String>,
        /// How many of these keys must sign.
        #[arg(long)]
        threshold: Option<u64>,
        /// PEM file of a root key that the configuration does not name; may be repeated.
        #[arg(long = "root-key-file")]
        root_key_files: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
enum AdvisoryCommand {
    /// Publish one.
    Publish(Says),
    /// Say something else in one.
    Change {
        /// Its id.
        id: String,
        #[command(flatten)]
        says: Says,
    },
    /// Withdraw one that was wrong.
    Withdraw {
        /// Its id.
        id: String,
    },
    /// List all.
    List,
}

/// What an advisory says.
#[derive(Debug, clap::Args)]
struct Says {
    /// Engine.
    #[arg(long)]
    engine: String,
    /// Versions that have it: `<1.2.3`.
    #[arg(long)]
    versions: semver::VersionReq,
    /// How bad it is.
    #[arg(long)]
    severity: Severity,
    /// In one line.
    #[arg(long)]
    title: String,
    /// What happens, whom it concerns, what to do.
    #[arg(long)]
    detail: String,
    /// The first version without it.
    #[arg(long)]
    fixed_in: Option<semver::Version>,
}

impl From<Says> for NewAdvisory {
    fn from(says: Says) -> Self {
        let Says { engine, versions, severity, title, detail, fixed_in } = says;
        Self { engine, versions, severity, title, detail, fixed_in }
    }
}

#[derive(Debug, Subcommand)]
enum FloorCommand {
    /// Let hosts install no version below this one.
    Set {
        /// Engine.
        engine: String,
        /// Version.
        version: semver::Version,
    },
    /// Take it away.
    Remove {
        /// Engine.
        engine: String,
    },
    /// List all.
    List,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// List every configured key: what it signs, from when until when, and which one signs now.
    List,
    /// Fail where a key is refused, or where a use has no key that signs in `licenses.warn_days` days.
    Check,
}

impl Command {
    fn changes_what_is_distributed(&self) -> bool {
        matches!(
            self,
            Self::Publish { .. }
                | Self::Yank { .. }
                | Self::Unyank { .. }
                | Self::Move { .. }
                | Self::Advisory { .. }
                | Self::Floor { .. }
        )
    }
}

/// Entry of the program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when standard error is closed.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    let usual = ["portal.toml", "/etc/sysmanage/portal.toml"].map(PathBuf::from);
    let file = cli.config.clone().or_else(|| usual.into_iter().find(|f| f.is_file()));
    let mut config = Config::load(file.as_deref())?;
    config.file = file;
    if let Some(data_dir) = cli.data_dir {
        config.data_dir = data_dir;
    }
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log)?;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let clock: SharedClock = Arc::new(SystemClock);
    match cli.command {
        Command::Serve { port } => {
            config.http.port = port.unwrap_or(config.http.port);
            runtime.block_on(serve::run(config, clock))
        }
        Command::Config => print_text(&toml::to_string(&config)?),
        Command::Keys { what } => keys(&config, &clock, &what),
        Command::Tuf { what: TufCommand::FirstRoot { out, threshold } } => {
            let root = tuf::first_root(&config.distribution, threshold, clock.now())?;
            let file = std::fs::File::options().write(true).create_new(true).open(&out);
            let file = file.and_then(|mut file| file.write_all(&root).and_then(|()| file.sync_all()));
            file.with_context(|| format!("{} cannot be written", out.display()))
        }
        command => runtime.block_on(async {
            let app = serve::open(config, clock).await?;
            let changes = command.changes_what_is_distributed();
            let mut outcome = one(&app, command).await;
            if outcome.is_ok() && changes {
                outcome = app.tuf.bring_up_to_date(&Ctx::operator()).await.map(drop).map_err(Into::into);
            }
            app.stop().await;
            outcome
        }),
    }
}

/// Keys are opened as `serve` opens them; the database is not looked at.
fn keys(config: &Config, clock: &SharedClock, what: &KeysCommand) -> anyhow::Result<()> {
    let now = clock.now();
    let keys = Keys::open(&config.licenses, now)?;
    print(&keys.list(now))?;
    let warnings = keys.warnings(now);
    match what {
        KeysCommand::Check if !warnings.is_empty() => anyhow::bail!(warnings.join("; ")),
        KeysCommand::List | KeysCommand::Check => Ok(()),
    }
}

async fn one(app: &Arc<App>, command: Command) -> anyhow::Result<()> {
    let ctx = Ctx::operator();
    match command {
        Command::Publish { file, channel, report, screenshot } => {
            let published = app.releases.publish(&ctx, &file, channel, report.as_deref()).await;
            let published = published.with_context(|| format!("{} is not published", file.display()))?;
            for picture in screenshot {
                let added = app.releases.add_screenshot_file(&ctx, &published.engine, &picture).await;
                added.with_context(|| {
                    format!("{} is published, and {} is not added", file.display(), picture.display())
                })?;
            }
            // Licences name engines: those of this tier now name this one too.
            app.orders.refresh(&ctx).await?;
            print(&published)
        }
        Command::Yank { engine, version, reason } => {
            Ok(app.releases.yank(&ctx, &engine, &version, &reason).await?)
        }
        Command::Unyank { engine, version } => Ok(app.releases.unyank(&ctx, &engine, &version).await?),
        Command::Move { engine, version, channel } => {
            Ok(app.releases.set_channel(&ctx, &engine, &version, channel).await?)
        }
        Command::Releases => print(&app.releases.list_all(&ctx).await.map_err(anyhow::Error::new)?),
        Command::Staff { email, remove } => print(&app.accounts.set_staff(&ctx, &email, !remove).await?),
        Command::ResetSecondFactor { email } => Ok(app.accounts.reset_second_factor(&ctx, &email).await?),
        Command::Advisory { what } => advisory(app, &ctx, what).await,
        Command::Floor { what } => floor(app, &ctx, what).await,
        Command::Tuf { what } => distribution(app, &ctx, what).await,
        Command::Bundle { organisation, out, engines, targets } => {
            app.tuf.bring_up_to_date(&ctx).await?;
            let file = std::fs::File::options().write(true).create_new(true).open(&out);
            let file = file.with_context(|| format!("{} cannot be made", out.display()))?;
            let selection = tuf::Selection { engines, targets };
            let made = app.tuf.bundle(&ctx, organisation, &selection, file).await;
            if made.is_err() {
                // A part of a bundle is of no use.
                let _ = std::fs::remove_file(&out);
            }
            Ok(made?)
        }
        Command::Serve { .. } | Command::Config | Command::Keys { .. } => Ok(()),
    }
}

async fn distribution(app: &Arc<App>, ctx: &Ctx, what: TufCommand) -> anyhow::Result<()> {
    match what {
        TufCommand::Update => print(&serde_json::json!({"new": app.tuf.bring_up_to_date(ctx).await?})),
        // Written without an application, whose start needs it.
        TufCommand::FirstRoot { .. } => Ok(()),
        TufCommand::Rotate { role, key_files, threshold, root_key_files } => {
            let rotation = tuf::Rotation { role, key_files, threshold, root_key_files };
            print(&app.tuf.rotate(ctx, &rotation).await?)
        }
    }
}

async fn advisory(app: &Arc<App>, ctx: &Ctx, what: AdvisoryCommand) -> anyhow::Result<()> {
    match what {
        AdvisoryCommand::Publish(says) => print(&app.advisories.publish(ctx, says.into()).await?),
        AdvisoryCommand::Change { id, says } => print(&app.advisories.update(ctx, &id, says.into()).await?),
        AdvisoryCommand::Withdraw { id } => print(&app.advisories.withdraw(ctx, &id).await?),
        AdvisoryCommand::List => print(&app.advisories.list_all(ctx).await?),
    }
}

async fn floor(app: &Arc<App>, ctx: &Ctx, what: FloorCommand) -> anyhow::Result<()> {
    match what {
        FloorCommand::Set { engine, version } => {
            print(&app.advisories.set_floor(ctx, &engine, version).await?)
        }
        FloorCommand::Remove { engine } => Ok(app.advisories.remove_floor(ctx, &engine).await?),
        FloorCommand::List => print(&app.advisories.floors().await?),
    }
}

fn print(value: &impl Serialize) -> anyhow::Result<()> {
    print_text(&format!("{}\n", serde_json::to_string_pretty(value)?))
}

fn print_text(text: &str) -> anyhow::Result<()> {
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}
