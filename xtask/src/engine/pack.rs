//! `engine pack` and `engine sign`: from an engine's folder to a signed package.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use chrono::Utc;
use license_issuer::{Credential, FileSigner, development};
use plugin_packager::{DEFAULT_LEVEL, Draft, SealedPackage, sbom};

use super::{build, out_dir, ui};
use crate::project::Project;

/// The engines that are not below `plugins/`.
const TEST_ENGINES: &str = "tests/engines";

/// zstd level of packages for tests and the demo.
const QUICK_LEVEL: i32 = 1;

/// What to pack, and who signs.
#[derive(clap::Args)]
#[group(skip)]
pub struct Options {
    #[command(flatten)]
    build: build::Options,
    #[command(flatten)]
    key: Key,
}

/// The signing key; the development publisher's unless told.
#[derive(clap::Args)]
#[group(skip)]
pub struct Key {
    /// Private key, PKCS#8 PEM.
    #[arg(long, requires = "cert")]
    key: Option<PathBuf>,
    /// Its certificate chain, one per line, the key's own first.
    #[arg(long, requires = "key")]
    cert: Option<PathBuf>,
}

/// What to sign anew.
#[derive(clap::Args)]
#[group(skip)]
pub struct SignOptions {
    /// The package.
    file: PathBuf,
    #[command(flatten)]
    key: Key,
}

impl Key {
    /// The development publisher's.
    pub fn development() -> Self {
        Self { key: None, cert: None }
    }

    /// Whether a key was given.
    pub fn is_given(&self) -> bool {
        self.key.is_some()
    }

    /// The credential to sign with.
    pub fn credential(&self) -> Result<Credential> {
        let (Some(key), Some(cert)) = (&self.key, &self.cert) else {
            return Ok(development::publisher_signer());
        };
        let chain = fs::read_to_string(cert).with_context(|| cert.display().to_string())?;
        let chain = chain.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned);
        Ok(Credential::new(FileSigner::open(key)?, chain)?)
    }
}

/// Build, list, sign, write.
pub fn run(project: &Project, options: &Options) -> Result<()> {
    let publisher = options.key.credential()?;
    write(project, &assemble(project, &options.build, &publisher)?, &publisher)
}

/// Every engine of `plugins/` and of the tests, signed with the development key.
pub fn all(project: &Project) -> Result<()> {
    let _ = fs::remove_dir_all(out_dir(project));
    let publisher = development::publisher_signer();
    for folder in ["plugins", TEST_ENGINES] {
        for entry in fs::read_dir(project.root.join(folder))? {
            let dir = entry?.path();
            let id = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if dir.join("plugin.toml").is_file() {
                for build in variants(&dir, &id) {
                    write_at(project, &assemble(project, &build, &publisher)?, &publisher, QUICK_LEVEL)?;
                }
            }
        }
    }
    Ok(())
}

/// The engine itself, and a build for each `variants/<feature>.toml`, the feature switched on.
fn variants(dir: &Path, id: &str) -> Vec<build::Options> {
    let files = fs::read_dir(dir.join("variants")).into_iter().flatten().flatten();
    let features = files.filter_map(|f| Some(f.path().file_stem()?.to_str()?.to_owned()));
    let with = |feature: String| build::Options { features: vec![feature], ..build::Options::debug(id) };
    [build::Options::debug(id)].into_iter().chain(features.map(with)).collect()
}

/// The example as the benchmarks want it.
pub fn for_benches(project: &Project) -> Result<()> {
    let build =
        build::Options { id: "example".into(), release: true, development_keys: true, features: Vec::new() };
    let publisher = development::publisher_signer();
    write(project, &assemble(project, &build, &publisher)?, &publisher)
}

/// Sign an existing package anew: same manifest, same files.
pub fn sign(options: &SignOptions) -> Result<()> {
    let package = SealedPackage::read(File::open(&options.file)?)?;
    let publisher = options.key.credential()?;
    let (named, subject) = (&package.manifest().publisher, subject(&publisher)?);
    ensure!(
        *named == subject,
        "the manifest names `{named}`, the certificate `{subject}`: pack it with this key instead"
    );
    let signatures = publisher.sign_package(package.manifest_toml())?;
    let temporary = options.file.with_extension("engine.tmp");
    package.write(&signatures, File::create(&temporary)?)?;
    fs::rename(&temporary, &options.file)?;
    println!("{}", options.file.display());
    Ok(())
}

/// The certificate's subject, which a manifest must name as its publisher.
fn subject(publisher: &Credential) -> Result<String> {
    let certificates = publisher.chain().parse()?;
    Ok(certificates.first().context("a credential has a certificate")?.body().subject.clone())
}

fn assemble(project: &Project, options: &build::Options, publisher: &Credential) -> Result<SealedPackage> {
    let dir = engine_dir(project, &options.id)?;
    let library = build::run(project, options)?;
    let variant = options.features.first().map(|f| dir.join("variants").join(f).with_extension("toml"));
    let manifest = variant.filter(|v| v.is_file()).unwrap_or_else(|| dir.join("plugin.toml"));
    let mut draft = Draft::new(&fs::read_to_string(&manifest)?, Utc::now())?;
    draft.manifest_mut().publisher = subject(publisher)?;
    draft.library(plugin_runtime::TARGET, fs::read(&library).with_context(|| library.display().to_string())?);
    draft.file("sbom.cdx.json", bill_of_materials(project, &options.id)?);
    draft.file("LICENSE", license(project, &dir)?);
    if dir.join("CHANGELOG.md").is_file() {
        draft.file("CHANGELOG.md", fs::read(dir.join("CHANGELOG.md"))?);
    }
    match ui::build(project, &dir)? {
        Some(built) => draft.directory("ui", &built)?,
        None => draft.manifest_mut().ui = None,
    }
    Ok(draft.seal()?)
}

fn engine_dir(project: &Project, id: &str) -> Result<PathBuf> {
    for folder in ["plugins", TEST_ENGINES] {
        let dir = project.root.join(folder).join(id);
        if dir.join("plugin.toml").is_file() {
            return Ok(dir);
        }
    }
    bail!("no engine `{id}`: there is no plugins/{id}/plugin.toml")
}

fn license(project: &Project, dir: &Path) -> Result<Vec<u8>> {
    let own = dir.join("LICENSE");
    let path = if own.is_file() { own } else { project.root.join("licenses/texts/Commercial-engine.txt") };
    fs::read(&path).with_context(|| path.display().to_string())
}

fn bill_of_materials(project: &Project, id: &str) -> Result<Vec<u8>> {
    let out = project.engine_cargo(["metadata", "--format-version", "1", "--locked"]).output()?;
    ensure!(out.status.success(), "cargo metadata failed in plugins/");
    Ok(sbom(&out.stdout, id)?)
}

fn write(project: &Project, package: &SealedPackage, publisher: &Credential) -> Result<()> {
    write_at(project, package, publisher, DEFAULT_LEVEL)
}

fn write_at(project: &Project, package: &SealedPackage, publisher: &Credential, level: i32) -> Result<()> {
    let dir = out_dir(project);
    fs::create_dir_all(&dir)?;
    let path = dir.join(package.file_name());
    package.write_at(level, &package.signed_by(publisher)?, File::create(&path)?)?;
    println!("{}", path.display());
    Ok(())
}
