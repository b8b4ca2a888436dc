//! Where the project is, how to run a command in it, and what cargo says of it.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

/// The project's root and build folder.
pub struct Project {
    /// Folder of the root `Cargo.toml`.
    pub root: PathBuf,
}

/// What `cargo metadata` says, as far as we ask.
#[derive(serde::Deserialize)]
pub struct Metadata {
    /// All packages, ours and others'.
    pub packages: Vec<Package>,
}

/// A package.
#[derive(serde::Deserialize)]
pub struct Package {
    /// Name.
    pub name: String,
    /// Registry; none for ours.
    pub source: Option<String>,
    /// Its `Cargo.toml`.
    pub manifest_path: String,
    /// Direct dependencies.
    pub dependencies: Vec<Dependency>,
}

/// A direct dependency.
#[derive(serde::Deserialize)]
pub struct Dependency {
    /// Name.
    pub name: String,
    /// `dev`, `build` or none.
    pub kind: Option<String>,
}

impl Project {
    /// Find the root from this crate's place.
    pub fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies below the root")?;
        Ok(Self { root: root.to_owned() })
    }

    /// Where build output goes; engines have a folder of their own below.
    pub fn target(&self) -> PathBuf {
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| self.root.join("target"), PathBuf::from)
    }

    /// Build folder of the `plugins/` workspace.
    pub fn engine_target(&self) -> PathBuf {
        self.target().join("engines")
    }

    /// Ask cargo about a workspace.
    pub fn metadata(&self, manifest: &str) -> Result<Metadata> {
        let out = self
            .command("cargo", ["metadata", "--format-version", "1", "--locked", "--manifest-path", manifest])
            .stderr(Stdio::inherit())
            .output()?;
        if !out.status.success() {
            bail!("cargo metadata failed for {manifest}");
        }
        Ok(serde_json::from_slice(&out.stdout)?)
    }

    /// Names of all that a build of a package links, with the features that it asks for; tests' dependencies aside.
    pub fn linked(&self, manifest: &str, package: &str) -> Result<BTreeSet<String>> {
        let args = ["tree", "--locked", "--manifest-path", manifest, "-p", package, "-e", "no-dev"];
        let shape = ["--target", "all", "--prefix", "none", "-f", "{p}"];
        let out = self.command("cargo", args).args(shape).stderr(Stdio::inherit()).output()?;
        if !out.status.success() {
            bail!("cargo tree failed for {package}");
        }
        let tree = String::from_utf8(out.stdout)?;
        Ok(tree.lines().filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect())
    }

    /// A command in the root.
    pub fn command<S: AsRef<OsStr>>(&self, program: &str, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(program);
        command.args(args).current_dir(&self.root);
        command
    }

    /// Run a command and fail with its name when it fails.
    pub fn run<S: AsRef<OsStr>>(&self, program: &str, args: impl IntoIterator<Item = S>) -> Result<()> {
        run_command(&mut self.command(program, args))
    }

    /// Every program that tests start, in one build: another choice of packages has other features, and is built anew.
    pub fn build_programs(&self) -> Result<()> {
        let packages = ["sysmanage", "sysmanage-agent", "sysmanage-portal", "agent-sim", "e2e"].into_iter();
        let packages = packages.flat_map(|package| ["-p", package]);
        self.run("cargo", ["build", "--locked", "--bins"].into_iter().chain(packages))
    }

    /// `cargo` in the `plugins/` workspace, with its own build folder.
    pub fn engine_cargo<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new("cargo");
        command
            .args(args)
            .current_dir(self.root.join("plugins"))
            .env("CARGO_TARGET_DIR", self.engine_target());
        command
    }
}

/// Run a prepared command and fail with its text when it fails.
pub fn run_command(command: &mut Command) -> Result<()> {
    let text = format!("{command:?}");
    let status = command.status().with_context(|| format!("cannot start {text}"))?;
    if !status.success() {
        bail!("{text} failed: {status}");
    }
    Ok(())
}
