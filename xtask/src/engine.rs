//! `cargo xtask engine`: new, build, sign, pack, verify.

mod build;
mod conformance;
mod pack;
mod scaffold;
mod ui;
mod verify;

use std::path::PathBuf;

use anyhow::Result;

use crate::project::Project;
pub use pack::Key;

/// What to do with an engine.
#[derive(clap::Subcommand)]
pub enum Command {
    /// A new engine from the example: `plugins/<id>`.
    New {
        /// Id: a-z, 0-9, _.
        id: String,
    },
    /// Build an engine's library.
    Build(build::Options),
    /// Build, list, sign and write `<id>-<version>.engine`.
    Pack(pack::Options),
    /// Build and pack every engine, the misbehaving ones of the tests included, with the development key.
    PackAll,
    /// Run an engine's tests of the plugin contract, and write a signed report of them beside its package.
    Conformance(conformance::Options),
    /// Sign an existing package anew, e.g. with a production key.
    Sign(pack::SignOptions),
    /// Verify a package as a host does, and say what is in it.
    Verify {
        /// The package.
        file: PathBuf,
    },
}

/// Carry it out.
pub fn run(project: &Project, command: &Command) -> Result<()> {
    match command {
        Command::New { id } => scaffold::run(project, id),
        Command::Build(options) => build::run(project, options).map(|_| ()),
        Command::Pack(options) => pack::run(project, options),
        Command::PackAll => build_all(project),
        Command::Conformance(options) => conformance::run(project, options),
        Command::Sign(options) => pack::sign(options),
        Command::Verify { file } => verify::run(file),
    }
}

/// Build and pack every engine, the misbehaving ones of the tests included.
pub fn build_all(project: &Project) -> Result<()> {
    pack::all(project)
}

/// Test the packed engines of `plugins/` against the contract, and write the reports beside them.
pub fn report_all(project: &Project) -> Result<()> {
    conformance::all(project)
}

/// Build and pack the example, optimised and trusting the development roots: what the benchmarks load.
pub fn build_for_benches(project: &Project) -> Result<()> {
    pack::for_benches(project)
}

/// Where packages are written.
pub fn out_dir(project: &Project) -> PathBuf {
    project.engine_target().join("packages")
}
