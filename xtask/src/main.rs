//! Every project command: `cargo xtask --help`.
#![allow(clippy::print_stdout, clippy::print_stderr)] // A command-line tool for developers.

mod bench;
mod ci;
mod demo;
mod dist;
mod engine;
mod fuzz;
mod postgres;
mod project;
mod setup;
mod tidy;

use anyhow::Result;
use clap::{Parser, Subcommand};

use project::Project;

/// Project commands of SysManage.
#[derive(Parser)]
#[command(name = "cargo xtask", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build, sign with development keys, license, start host and local agent, and print URL and login.
    Demo(demo::Options),
    /// Everything, installing what tests need: what CI runs.
    Test,
    /// The one gate: fmt, clippy, tidy, deny, tests, end-to-end.
    Ci(ci::Options),
    /// House rules: dependencies, sizes, names, engine trees.
    Tidy,
    /// Install what the tests need (Debian packages, cargo-deny).
    Setup,
    /// Work on an engine: new, build, sign, pack, verify.
    #[command(subcommand)]
    Engine(engine::Command),
    /// Run the benchmarks and print the README's table.
    Bench(bench::Options),
    /// Run the fuzz targets under libFuzzer.
    Fuzz(fuzz::Options),
    /// Build release binaries and check their sizes.
    Dist,
}

fn main() -> Result<()> {
    let project = Project::find()?;
    match Cli::parse().command {
        Command::Demo(options) => demo::run(&project, &options),
        Command::Test => setup::run(&project).and_then(|()| ci::run(&project, &ci::Options::default())),
        Command::Ci(options) => ci::run(&project, &options),
        Command::Tidy => tidy::run(&project),
        Command::Setup => setup::run(&project),
        Command::Engine(command) => engine::run(&project, &command),
        Command::Bench(options) => bench::run(&project, &options),
        Command::Fuzz(options) => fuzz::run(&project, &options),
        Command::Dist => dist::run(&project),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
