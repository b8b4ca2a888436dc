//! The one gate, step by step. Each step says how long it took.

use std::time::Instant;

use anyhow::{Context, Result};

use crate::{
    console, engine,
    postgres::Cluster,
    project::{Project, run_command},
    tidy,
};

/// What to run.
#[derive(clap::Args, Default)]
pub struct Options {
    /// Only these steps: fmt, tidy, deny, console, clippy, engines, unit, plugins, e2e, openapi, browser.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
}

type Step = fn(&Project, &Cluster) -> Result<()>;

const STEPS: &[(&str, Step)] = &[
    ("fmt", |p, _| fmt(p)),
    ("tidy", |p, _| tidy::run(p)),
    ("deny", |p, _| deny(p)),
    ("console", |p, _| console::build(p).and_then(|()| console::check(p))),
    ("clippy", |p, _| clippy(p)),
    ("engines", |p, _| engine::build_all(p)),
    ("unit", unit),
    ("plugins", plugins),
    ("e2e", e2e),
    ("openapi", |p, _| console::openapi(p, &console::Openapi { check: true })),
    ("browser", |p, _| console::browser(p)),
];

/// Run the steps; the first failure ends it.
pub fn run_steps(project: &Project, options: &Options, cluster: &Cluster) -> Result<()> {
    let wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|o| o == name);
    for (name, step) in STEPS.iter().filter(|(name, _)| wanted(name)) {
        println!("==> {name}");
        let start = Instant::now();
        step(project, cluster).with_context(|| format!("step {name}"))?;
        println!("<== {name}: {} s", start.elapsed().as_secs());
    }
    Ok(())
}

/// Start PostgreSQL and run the steps.
pub fn run(project: &Project, options: &Options) -> Result<()> {
    let cluster = Cluster::start(project)?;
    run_steps(project, options, &cluster)
}

fn fmt(project: &Project) -> Result<()> {
    project.run("cargo", ["fmt", "--all", "--check"])?;
    run_command(project.engine_cargo(["fmt", "--all", "--check"]).env_remove("CARGO_TARGET_DIR"))
}

fn deny(project: &Project) -> Result<()> {
    for manifest in ["Cargo.toml", "plugins/Cargo.toml"] {
        let args = [
            "deny",
            "--manifest-path",
            manifest,
            "--config",
            "deny.toml",
            "--locked",
            "check",
            "bans",
            "licenses",
            "sources",
        ];
        project.run("cargo", args)?;
    }
    Ok(())
}

fn clippy(project: &Project) -> Result<()> {
    let args = ["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"];
    project.run("cargo", args)?;
    run_command(&mut project.engine_cargo(args))
}

/// The host workspace's tests but the end-to-end ones.
fn unit(project: &Project, cluster: &Cluster) -> Result<()> {
    let mut command = project.command("cargo", ["test", "--locked", "--workspace", "--exclude", "e2e"]);
    run_command(command.env("SYSMANAGE_TEST_POSTGRES_URL", &cluster.url))?;
    let features = ["--features", "pkcs11", "--test", "pkcs11"];
    project.run("cargo", [&["test", "--locked", "-p", "license-issuer"], &features[..]].concat())
}

fn plugins(project: &Project, cluster: &Cluster) -> Result<()> {
    let mut command = project.engine_cargo(["test", "--locked", "--workspace"]);
    run_command(command.env("SYSMANAGE_TEST_POSTGRES_URL", &cluster.url))
}

/// Real binaries, real engines, real sockets.
fn e2e(project: &Project, cluster: &Cluster) -> Result<()> {
    project.build_programs()?;
    let mut command = project.command("cargo", ["test", "--locked", "-p", "e2e"]);
    command.env("SYSMANAGE_TEST_POSTGRES_URL", &cluster.url);
    command.env("SYSMANAGE_BIN_DIR", project.target().join("debug"));
    run_command(command.env("SYSMANAGE_ENGINES_DIR", engine::out_dir(project)))
}
