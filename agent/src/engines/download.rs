//! Fetching packages: resumable, bounded by the size that was announced, checked by digest.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use agent_protocol::{engine::AssignedEngine, enroll::package_path};
use http::StatusCode;
use http_body_util::BodyExt;

use super::Trouble;
use crate::{http_client::Client, storage};

/// A download that stands still this long has failed.
const STALLED: Duration = Duration::from_secs(60);
/// No package is larger.
const MAX_PACKAGE: u64 = 512 << 20;

/// The file a package is kept in; named by its content, so that it is never the wrong one.
pub fn file_name(engine: &AssignedEngine) -> String {
    format!("{}.engine", engine.digest.to_hex())
}

/// The package's file, fetched unless it is there and whole.
pub async fn fetch(
    folder: &Path,
    engine: &AssignedEngine,
    client: Option<&Client>,
) -> Result<PathBuf, Trouble> {
    let path = folder.join(file_name(engine));
    if engine.size > MAX_PACKAGE {
        return Err(Trouble::refused("too_large", "The package is larger than any this agent accepts."));
    }
    if matches_digest(path.clone(), engine).await? {
        return Ok(path);
    }
    let client =
        client.ok_or_else(|| Trouble::failed("not_fetched", "The package is not on this machine yet."))?;
    let part = path.with_extension("part");
    receive(client, engine, &part).await?;
    if !matches_digest(part.clone(), engine).await? {
        // Damaged, or another package under this name: begin anew next time.
        drop(std::fs::remove_file(&part));
        return Err(Trouble::failed(
            "digest_mismatch",
            "The package that came is not the one that was announced.",
        ));
    }
    std::fs::rename(&part, &path).and_then(|()| storage::sync_folder(&path)).map_err(|e| disk(&e))?;
    Ok(path)
}

fn disk(error: &io::Error) -> Trouble {
    Trouble::failed("disk_failed", format!("The package cannot be stored: {error}."))
}

async fn receive(client: &Client, engine: &AssignedEngine, part: &Path) -> Result<(), Trouble> {
    let have = std::fs::metadata(part).map_or(0, |file| file.len());
    let have = if have >= engine.size { 0 } else { have };
    let failed = |message: String| Trouble::failed("fetch_failed", message);
    let path = package_path(&engine.id, &engine.version);
    let response = client.get_from(&path, have).await.map_err(|e| failed(format!("The package: {e}.")))?;
    let mut file = match response.status() {
        StatusCode::PARTIAL_CONTENT if have > 0 => storage::append_private(part),
        StatusCode::OK => storage::create_private(part),
        status => return Err(failed(format!("The host answered {status} for the package."))),
    }
    .map_err(|e| disk(&e))?;
    let mut size = file.metadata().map_err(|e| disk(&e))?.len();
    let mut body = response.into_body();
    loop {
        let frame = tokio::time::timeout(STALLED, body.frame()).await;
        let frame = frame.map_err(|_| failed("The download stands still.".into()))?;
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|e| failed(format!("The download broke off: {e}.")))?;
        let Some(data) = frame.data_ref() else { continue };
        size += data.len() as u64;
        if size > engine.size {
            drop(std::fs::remove_file(part));
            return Err(failed("The package is larger than announced.".into()));
        }
        file.write_all(data).map_err(|e| disk(&e))?;
    }
    file.sync_all().map_err(|e| disk(&e))
}

async fn matches_digest(path: PathBuf, engine: &AssignedEngine) -> Result<bool, Trouble> {
    let (size, wanted) = (engine.size, *engine.digest.bytes());
    let check = tokio::task::spawn_blocking(move || has_digest(&path, size, &wanted)).await;
    check.unwrap_or(Ok(false)).map_err(|e| disk(&e))
}

fn has_digest(path: &Path, size: u64, wanted: &[u8; 32]) -> io::Result<bool> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(e) => return Err(e),
    };
    if file.metadata()?.len() != size {
        return Ok(false);
    }
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    let mut buffer = [0; 16 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            n => context.update(&buffer[..n]),
        }
    }
    Ok(context.finish().as_ref() == wanted)
}

/// Remove every package that is not in `names`.
pub fn remove_all_but(folder: &Path, names: &[String]) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("");
        if !names.iter().any(|name| name.strip_suffix(".engine") == Some(stem)) {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}
