//! `engine build`: an engine's library, by cargo in the `plugins/` workspace.

use std::path::PathBuf;

use anyhow::Result;

use crate::project::{Project, run_command};

/// Which engine, and how.
#[derive(clap::Args)]
#[group(skip)]
pub struct Options {
    /// Engine id.
    pub id: String,
    /// Optimised.
    #[arg(long)]
    pub release: bool,
    /// Trust the development roots in a release build: for benchmarks.
    #[arg(long)]
    pub development_keys: bool,
    /// Cargo features, e.g. a variant of a test engine.
    #[arg(long, value_delimiter = ',')]
    pub features: Vec<String>,
}

impl Options {
    /// A plain debug build.
    pub fn debug(id: &str) -> Self {
        Self { id: id.into(), release: false, development_keys: false, features: Vec::new() }
    }
}

/// Build it; the answer is the library's path.
pub fn run(project: &Project, options: &Options) -> Result<PathBuf> {
    let mut command = project.engine_cargo(["build", "--locked", "--lib", "-p", &options.id]);
    let mut features = options.features.clone();
    if options.development_keys {
        features.push("plugin-sdk/development-keys".into());
    }
    if !features.is_empty() {
        command.args(["--features", &features.join(",")]);
    }
    if options.release {
        command.arg("--release");
    }
    run_command(&mut command)?;
    let profile = if options.release { "release" } else { "debug" };
    Ok(project.engine_target().join(profile).join(format!("lib{}.so", options.id)))
}
