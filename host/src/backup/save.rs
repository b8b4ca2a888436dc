//! Writing a backup. The host may run: SQLite copies itself consistently, PostgreSQL dumps in one snapshot.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Read,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use chrono::Utc;
use sea_orm::ConnectionTrait;
use tar::{Builder, Header};

use super::{CONFIG, DATA, FileEntry, Hashing, MANIFEST, Manifest, POSTGRES_DUMP, SQLITE_COPY, postgres};
use crate::{config::Config, db::Db};

const LEVEL: i32 = 6;

type Archive = Builder<zstd::Encoder<'static, File>>;

/// Save everything to `file`, which must not exist.
pub async fn save(config: &Config, config_file: Option<&Path>, file: &Path) -> anyhow::Result<Manifest> {
    let data_dir = std::path::absolute(&config.data_dir)?;
    ensure!(data_dir.is_dir(), "there is no data directory {}: nothing to save", data_dir.display());
    ensure!(!file.exists(), "{} exists; choose another name", file.display());
    let partial = PathBuf::from(format!("{}.partial", file.display()));
    let copy = PathBuf::from(format!("{}.database", file.display()));
    let _remove = [RemoveLater(partial.clone()), RemoveLater(copy.clone())];
    let database = copy_database(config, &data_dir, &copy).await?;
    let (config_file, target) = (config_file.map(Path::to_owned), file.to_owned());
    tokio::task::spawn_blocking(move || {
        let manifest = write(&partial, &data_dir, &copy, database, config_file.as_deref())?;
        std::fs::rename(&partial, &target)?;
        Ok(manifest)
    })
    .await?
}

async fn copy_database(config: &Config, data_dir: &Path, copy: &Path) -> anyhow::Result<&'static str> {
    let url = config.database.url.clone();
    if url.starts_with("postgres") {
        let copy = copy.to_owned();
        tokio::task::spawn_blocking(move || postgres::dump(&url, &copy)).await??;
        return Ok("postgres");
    }
    if url.is_empty() && !data_dir.join("sysmanage.db").is_file() {
        bail!("there is no database in {}: nothing to save", data_dir.display());
    }
    let db = Db::connect(&config.database, data_dir).await?;
    let quoted = copy.display().to_string().replace('\'', "''");
    let copied = db.write().execute_unprepared(&format!("VACUUM INTO '{quoted}'")).await;
    db.close().await;
    copied.context("the database could not be copied")?;
    Ok("sqlite")
}

fn write(
    partial: &Path,
    data_dir: &Path,
    copy: &Path,
    database: &str,
    config_file: Option<&Path>,
) -> anyhow::Result<Manifest> {
    let file = File::options().write(true).create(true).truncate(true).mode(0o600).open(partial);
    let file = file.with_context(|| format!("cannot write {}", partial.display()))?;
    let mut archive = Builder::new(zstd::Encoder::new(file, LEVEL)?);
    let mut files = BTreeMap::new();
    let name = if database == "postgres" { POSTGRES_DUMP } else { SQLITE_COPY };
    add(&mut archive, &mut files, name.into(), copy)?;
    add_folder(&mut archive, &mut files, data_dir, data_dir)?;
    if let Some(config_file) = config_file {
        add(&mut archive, &mut files, CONFIG.into(), config_file)?;
    }
    let manifest = Manifest {
        format: 1,
        version: env!("CARGO_PKG_VERSION").into(),
        created_at: Utc::now(),
        database: database.into(),
        files,
    };
    let json = serde_json::to_vec_pretty(&manifest)?;
    append(&mut archive, MANIFEST, json.len() as u64, json.as_slice())?;
    let file = archive.into_inner()?.finish()?;
    file.sync_all()?;
    Ok(manifest)
}

/// Everything but the database, the lock, sockets and files half-written.
fn add_folder(
    archive: &mut Archive,
    files: &mut BTreeMap<String, FileEntry>,
    root: &Path,
    folder: &Path,
) -> anyhow::Result<()> {
    let mut entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let (path, kind) = (entry.path(), entry.file_type()?);
        let name = entry.file_name().to_string_lossy().into_owned();
        let top = folder == root;
        let skipped = name.ends_with(".new")
            || matches!(name.as_str(), ".incoming" | ".downloads")
            || (top && (name.starts_with("sysmanage.db") || name.starts_with("replaced-") || name == "lock"));
        if skipped {
            continue;
        }
        if kind.is_dir() {
            add_folder(archive, files, root, &path)?;
        } else if kind.is_file() {
            let inside = path.strip_prefix(root).context("the entry is inside the folder")?;
            add(archive, files, format!("{DATA}/{}", inside.display()), &path)?;
        }
    }
    Ok(())
}

fn add(
    archive: &mut Archive,
    files: &mut BTreeMap<String, FileEntry>,
    name: String,
    path: &Path,
) -> anyhow::Result<()> {
    let file = match File::open(path) {
        Ok(file) => file,
        // The host runs: a file may go between the listing and now.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let size = file.metadata()?.len();
    let mut hashing = Hashing::new(file.take(size));
    append(archive, &name, size, &mut hashing)
        .with_context(|| format!("{} changed while it was read", path.display()))?;
    let entry = hashing.entry();
    ensure!(entry.size == size, "{} became shorter while it was read; try again", path.display());
    files.insert(name, entry);
    Ok(())
}

fn append(archive: &mut Archive, name: &str, size: u64, content: impl Read) -> anyhow::Result<()> {
    let mut header = Header::new_gnu();
    header.set_size(size);
    header.set_mode(0o600);
    Ok(archive.append_data(&mut header, name, content)?)
}

struct RemoveLater(PathBuf);

impl Drop for RemoveLater {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
