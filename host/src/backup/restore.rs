//! Bringing a backup back: unpacked beside, verified whole, then moved into place.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Read,
    os::unix::fs::OpenOptionsExt,
    path::{Component, Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use chrono::Utc;

use super::{CONFIG, DATA, FileEntry, Hashing, MANIFEST, Manifest, POSTGRES_DUMP, SQLITE_COPY, postgres};
use crate::{config::Config, keys::private_folder, serve::DataLock};

const MAX_MANIFEST_BYTES: u64 = 64 * 1024 * 1024;
const STAGING: &str = "restoring.new";

/// Restore `file` into the data directory of `config`. Refuses a host that runs; and a directory that holds
/// anything, unless `force`: then what was there is kept in a folder `replaced-<time>`.
pub async fn restore(config: &Config, file: &Path, force: bool) -> anyhow::Result<Manifest> {
    let (config, file) = (config.clone(), file.to_owned());
    tokio::task::spawn_blocking(move || run(&config, &file, force)).await?
}

fn run(config: &Config, file: &Path, force: bool) -> anyhow::Result<Manifest> {
    let data_dir = std::path::absolute(&config.data_dir)?;
    private_folder(&data_dir)?;
    let _lock = DataLock::take(&data_dir)?;
    let there = contents(&data_dir)?;
    if !there.is_empty() && !force {
        bail!("{} is not empty; --force keeps what is there aside and restores", data_dir.display());
    }
    let staging = data_dir.join(STAGING);
    let _ = std::fs::remove_dir_all(&staging);
    private_folder(&staging)?;
    let unpacked = unpack(file, &staging).and_then(|manifest| {
        check_database(config, &manifest, force)?;
        place(config, &data_dir, &staging, &there, &manifest)?;
        Ok(manifest)
    });
    let _ = std::fs::remove_dir_all(&staging);
    unpacked
}

/// Everything in the directory but the lock.
fn contents(data_dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(data_dir)?.collect::<Result<Vec<_>, _>>()?;
    let own = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name == "lock" || name == STAGING || name.starts_with("replaced-")
    };
    Ok(entries.into_iter().map(|e| e.path()).filter(|p| !own(p)).collect())
}

/// Unpack and verify: each file as the manifest says, none more, none less.
fn unpack(file: &Path, staging: &Path) -> anyhow::Result<Manifest> {
    let source = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    let damaged = || format!("{} is not a whole backup", file.display());
    let mut archive = tar::Archive::new(zstd::Decoder::new(source).with_context(damaged)?);
    let (mut found, mut manifest) = (BTreeMap::new(), None);
    for entry in archive.entries().with_context(damaged)? {
        let mut entry = entry.with_context(damaged)?;
        ensure!(entry.header().entry_type().is_file(), "{}: it holds something that is no file", damaged());
        let name = safe_name(&entry.path().with_context(damaged)?)?;
        ensure!(manifest.is_none(), "{}: something follows the manifest", damaged());
        if name == MANIFEST {
            let mut json = Vec::new();
            entry.take(MAX_MANIFEST_BYTES).read_to_end(&mut json).with_context(damaged)?;
            manifest = Some(serde_json::from_slice::<Manifest>(&json).with_context(damaged)?);
            continue;
        }
        let entry = extract(&mut entry, &staging.join(&name)).with_context(damaged)?;
        found.insert(name, entry);
    }
    let manifest = manifest.with_context(|| format!("{}: the manifest is missing", damaged()))?;
    ensure!(
        manifest.format == 1,
        "a newer host wrote this backup; restore with version {}",
        manifest.version
    );
    if let Some(name) = difference(&manifest.files, &found) {
        bail!("{}: {name} is missing, changed or not in the manifest", damaged());
    }
    Ok(manifest)
}

fn difference(wanted: &BTreeMap<String, FileEntry>, found: &BTreeMap<String, FileEntry>) -> Option<String> {
    wanted.keys().chain(found.keys()).find(|name| wanted.get(*name) != found.get(*name)).cloned()
}

/// The name, when it stays inside the folder it is unpacked to.
fn safe_name(path: &Path) -> anyhow::Result<String> {
    let inside = path.components().all(|c| matches!(c, Component::Normal(_)));
    let name = path.to_str().filter(|_| inside);
    Ok(name.context("the backup holds a file outside of it")?.to_owned())
}

fn extract(entry: &mut impl Read, to: &Path) -> anyhow::Result<FileEntry> {
    if let Some(folder) = to.parent() {
        private_folder(folder)?;
    }
    let file = File::options().write(true).create_new(true).mode(0o600).open(to)?;
    let mut hashing = Hashing::new(file);
    std::io::copy(entry, &mut hashing)?;
    hashing.inner.sync_all()?;
    Ok(hashing.entry())
}

fn check_database(config: &Config, manifest: &Manifest, force: bool) -> anyhow::Result<()> {
    let postgres = config.database.url.starts_with("postgres");
    match (manifest.database.as_str(), postgres) {
        ("postgres", true) if !force => {
            bail!("restoring replaces what is in the PostgreSQL database of database.url; say --force")
        }
        ("postgres", true) | ("sqlite", false) => Ok(()),
        ("postgres", false) => bail!("this backup is of a PostgreSQL database: set database.url first"),
        _ => bail!("this backup is of an SQLite database, but database.url names PostgreSQL"),
    }
}

fn place(
    config: &Config,
    data_dir: &Path,
    staging: &Path,
    there: &[PathBuf],
    manifest: &Manifest,
) -> anyhow::Result<()> {
    if !there.is_empty() {
        let aside = data_dir.join(format!("replaced-{}", Utc::now().format("%Y%m%dT%H%M%S%3f")));
        private_folder(&aside)?;
        for path in there {
            std::fs::rename(path, aside.join(path.file_name().unwrap_or_default()))?;
        }
    }
    let dump = staging.join(POSTGRES_DUMP);
    if manifest.database == "postgres" {
        postgres::load(&config.database.url, &dump)?;
    } else {
        let url =
            config.database.url.strip_prefix("sqlite:").map(|p| PathBuf::from(p.trim_start_matches("//")));
        let target = url.unwrap_or_else(|| data_dir.join("sysmanage.db"));
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", target.display()));
        }
        std::fs::rename(staging.join(SQLITE_COPY), &target)
            .with_context(|| format!("cannot put the database at {}", target.display()))?;
    }
    if let Ok(entries) = std::fs::read_dir(staging.join(DATA)) {
        for entry in entries {
            let entry = entry?;
            std::fs::rename(entry.path(), data_dir.join(entry.file_name()))?;
        }
    }
    if manifest.files.contains_key(CONFIG) {
        std::fs::rename(staging.join(CONFIG), data_dir.join("sysmanage.toml.restored"))?;
    }
    Ok(())
}
