//! `engine pack` and `engine sign`: from an engine's folder to a signed package.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use chrono::Utc;
use license_issuer::{Credential, FileSigner, development};
use plugin_packager::{Draft, SealedPackage, sbom};

use super::{build, out_dir};
use crate::project::Project;

/// The engines that are not below `plugins/`.
const TEST_ENGINES: &str = "tests/engines";

/// What to pack, and who signs.
#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    build: build::Options,
    #[command(flatten)]
    key: Key,
}

/// The signing key; the development publisher's unless told.
#[derive(clap::Args)]
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
pub struct SignOptions {
    /// The package.
    file: PathBuf,
    #[command(flatten)]
    key: Key,
}

impl Key {
    fn credential(&self) -> Result<Credential> {
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
    let package = assemble(project, &options.build)?;
    write(project, &package, &options.key.credential()?)
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
                write(project, &assemble(project, &build::Options::debug(&id))?, &publisher)?;
            }
        }
    }
    Ok(())
}

/// The example as the benchmarks want it.
pub fn for_benches(project: &Project) -> Result<()> {
    let build =
        build::Options { id: "example".into(), release: true, development_keys: true, features: Vec::new() };
    write(project, &assemble(project, &build)?, &development::publisher_signer())
}

/// Sign an existing package anew: same manifest, same files.
pub fn sign(options: &SignOptions) -> Result<()> {
    let package = SealedPackage::read(File::open(&options.file)?)?;
    let signatures = options.key.credential()?.sign_package(package.manifest_toml())?;
    let temporary = options.file.with_extension("engine.tmp");
    package.write(&signatures, File::create(&temporary)?)?;
    fs::rename(&temporary, &options.file)?;
    println!("{}", options.file.display());
    Ok(())
}

fn assemble(project: &Project, options: &build::Options) -> Result<SealedPackage> {
    let dir = engine_dir(project, &options.id)?;
    let library = build::run(project, options)?;
    let mut draft = Draft::new(&fs::read_to_string(dir.join("plugin.toml"))?, Utc::now())?;
    ensure!(draft.manifest_mut().id == options.id, "{}/plugin.toml names another id", dir.display());
    draft.library(plugin_runtime::TARGET, fs::read(&library).with_context(|| library.display().to_string())?);
    draft.file("sbom.cdx.json", bill_of_materials(project, &options.id)?);
    draft.file("LICENSE", license(project, &dir)?);
    if dir.join("CHANGELOG.md").is_file() {
        draft.file("CHANGELOG.md", fs::read(dir.join("CHANGELOG.md"))?);
    }
    add_folder(&mut draft, &dir.join("ui/dist"), "ui")?;
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
    let path = if own.is_file() {
        own
    } else {
        project.root.join("licenses/texts/LicenseRef-SysManage-Commercial.txt")
    };
    fs::read(&path).with_context(|| path.display().to_string())
}

fn bill_of_materials(project: &Project, id: &str) -> Result<Vec<u8>> {
    let out = project.engine_cargo(["metadata", "--format-version", "1", "--locked"]).output()?;
    ensure!(out.status.success(), "cargo metadata failed in plugins/");
    Ok(sbom(&out.stdout, id)?)
}

fn add_folder(draft: &mut Draft, dir: &Path, prefix: &str) -> Result<()> {
    for entry in fs::read_dir(dir).into_iter().flatten() {
        let entry = entry?;
        let path = format!("{prefix}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            add_folder(draft, &entry.path(), &path)?;
        } else {
            draft.file(&path, fs::read(entry.path())?);
        }
    }
    Ok(())
}

fn write(project: &Project, package: &SealedPackage, publisher: &Credential) -> Result<()> {
    let dir = out_dir(project);
    fs::create_dir_all(&dir)?;
    let path = dir.join(package.file_name());
    package.write(&publisher.sign_package(package.manifest_toml())?, File::create(&path)?)?;
    println!("{}", path.display());
    Ok(())
}
