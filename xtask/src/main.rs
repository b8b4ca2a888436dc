//! Every project command: `cargo xtask --help`.
#![allow(clippy::print_stdout, clippy::print_stderr)] // A command-line tool for developers.

mod bench;
mod ci;
mod console;
mod demo;
mod dist;
mod engine;
mod fuzz;
mod passwords;
mod postgres;
mod project;
mod setup;
mod tidy;

use std::process::ExitCode;

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
    /// The one gate: fmt, clippy, tidy, deny, tests, end-to-end, browser.
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
    /// Build the web console, for the next build of the host to take in.
    Console,
    /// Write the API's document and the console's client, or check that they are up to date.
    Openapi(console::Openapi),
    /// Make the list of common passwords that the host refuses.
    Passwords(passwords::Options),
    /// Build what is given out: binaries, Debian packages, the signed agent release.
    Dist(dist::Options),
}

fn main() -> ExitCode {
    // Without a backtrace: what failed has said why, and this is the last line of a long log.
    match Project::find().and_then(|project| run(&project, Cli::parse().command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(project: &Project, command: Command) -> Result<()> {
    match command {
        Command::Demo(options) => demo::run(project, &options),
        Command::Test => setup::run(project).and_then(|()| ci::run(project, &ci::Options::default())),
        Command::Ci(options) => ci::run(project, &options),
        Command::Tidy => tidy::run(project),
        Command::Setup => setup::run(project),
        Command::Engine(command) => engine::run(project, &command),
        Command::Bench(options) => bench::run(project, &options),
        Command::Fuzz(options) => fuzz::run(project, &options),
        Command::Console => console::build(project),
        Command::Openapi(options) => console::openapi(project, &options),
        Command::Passwords(options) => passwords::run(project, &options),
        Command::Dist(options) => dist::run(project, &options),
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
