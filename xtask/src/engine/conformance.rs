//! `engine conformance`: run an engine's tests of the contract, and sign what they found for one package.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow, ensure};
use chrono::Utc;
use plugin_runtime::{ConformanceReport, Package, Policy, Side};
use serde::Deserialize;
use trust::{Kind, SignedDocument, TrustStore};

use super::{out_dir, pack::Key};
use crate::project::{Project, run_command};

/// Whose tests, for which package.
#[derive(clap::Args)]
#[group(skip)]
pub struct Options {
    /// Engine below `plugins/`.
    id: String,
    /// Its package; the newest that `engine pack` wrote, unless told.
    #[arg(long)]
    package: Option<PathBuf>,
    #[command(flatten)]
    key: Key,
}

/// What the tests wrote down.
#[derive(Deserialize)]
struct Found {
    engine: Option<String>,
    version: Option<String>,
    api: semver::Version,
    checks: Vec<String>,
    wrong: Vec<String>,
}

/// Test, then write `<package>.conformance.json` beside the package.
pub fn run(project: &Project, options: &Options) -> Result<()> {
    let file = match &options.package {
        Some(file) => file.clone(),
        None => newest(&out_dir(project), &options.id)?,
    };
    let store = TrustStore::built_in();
    let package = Package::verify_file(&file, &Policy::new(&store, Utc::now(), Side::Tool))
        .map_err(|refusal| anyhow!("refused ({}): {refusal}", refusal.code()))?;
    let manifest = package.manifest();
    ensure!(manifest.id == options.id, "{} is a package of {}", file.display(), manifest.id);
    let found = test(project, &options.id)?;
    let version = manifest.version.to_string();
    ensure!(
        found.engine.as_ref() == Some(&manifest.id) && found.version.as_ref() == Some(&version),
        "the tests are of {:?} {:?}, the package is {} {version}: pack it anew",
        found.engine,
        found.version,
        manifest.id
    );
    let report = ConformanceReport {
        format: ConformanceReport::FORMAT,
        engine: manifest.id.clone(),
        version: manifest.version.clone(),
        manifest: ConformanceReport::manifest_of(&package),
        api: found.api,
        checks: found.checks,
        wrong: found.wrong,
        at: Utc::now(),
    };
    let publisher = options.key.credential()?;
    let payload = report.payload()?;
    let signature = publisher.signer().sign_document(Kind::Conformance, &payload)?;
    let text = ConformanceReport::compose(publisher.chain(), &SignedDocument { payload, signature })?;
    ConformanceReport::verify(&text, &package, &store, Utc::now())?;
    let target = file.with_extension("conformance.json");
    fs::write(&target, text)?;
    println!("{}", target.display());
    Ok(())
}

/// For every package of an engine below `plugins/`, with the development key.
pub fn all(project: &Project) -> Result<()> {
    for entry in fs::read_dir(project.root.join("plugins"))? {
        let dir = entry?.path();
        let id = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if dir.join("tests/it/conformance.rs").is_file() {
            run(project, &Options { id, package: None, key: Key::development() })?;
        }
    }
    Ok(())
}

/// Run the engine's own test; what it wrote down, also where it failed.
fn test(project: &Project, id: &str) -> Result<Found> {
    let file = std::env::temp_dir().join(format!("conformance-{id}-{}.json", std::process::id()));
    let mut command = project.engine_cargo(["test", "--locked", "-p", id, "--test", "it", "conformance"]);
    let outcome = run_command(command.env("SYSMANAGE_CONFORMANCE_REPORT", &file));
    let text = match (fs::read(&file), outcome) {
        (Ok(text), _) => text,
        (Err(_), Err(error)) => return Err(error.context(format!("the tests of {id} do not run"))),
        (Err(_), Ok(())) => {
            return Err(anyhow!("{id} has no test that calls `plugin_testing::conformance::check`"));
        }
    };
    fs::remove_file(&file)?;
    serde_json::from_slice(&text).context("what the tests wrote down does not read")
}

fn newest(dir: &Path, id: &str) -> Result<PathBuf> {
    let prefix = format!("{id}-");
    let packages = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let own = packages.filter(|path| {
        path.extension().is_some_and(|e| e == "engine")
            && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix))
    });
    own.max().with_context(|| {
        format!("no package of {id} in {}: run `cargo xtask engine pack {id}`", dir.display())
    })
}
