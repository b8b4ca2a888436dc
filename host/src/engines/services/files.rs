//! Service `files`: a private folder with a quota.

use std::path::{Path, PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use plugin_api::{
    EngineError,
    error::{decode, encode},
    services::files::{FileAnswer, FileCall},
};

use super::{Host, failed, nothing};

/// Largest file, in bytes.
const FILE: usize = 32 << 20;
/// Files in a folder.
const COUNT: usize = 10_000;

pub(super) async fn call(host: &Host, method: &str, payload: &[u8]) -> Result<Vec<u8>, EngineError> {
    let call: FileCall = decode(payload)?;
    let folder = host.app()?.engines.data_folder(host.id());
    let quota = u64::from(host.manifest.capabilities.files_mib.unwrap_or(64)) << 20;
    let method = method.to_owned();
    let done = tokio::task::spawn_blocking(move || run(&method, &call, &folder, quota)).await;
    done.map_err(|e| failed("use files", e))?
}

fn run(method: &str, call: &FileCall, folder: &Path, quota: u64) -> Result<Vec<u8>, EngineError> {
    match method {
        "put" => put(folder, call, quota),
        "get" => {
            let content = std::fs::read(place(folder, &call.path)?).map_err(not_found)?;
            encode(&FileAnswer { content_base64: STANDARD.encode(content), entries: Vec::new() })
        }
        "delete" => {
            std::fs::remove_file(place(folder, &call.path)?).map_err(not_found)?;
            nothing()
        }
        "list" => {
            let entries =
                list(folder)?.into_iter().filter(|(path, _)| path.starts_with(&call.path)).collect();
            encode(&FileAnswer { content_base64: String::new(), entries })
        }
        other => Err(EngineError::unknown("files method", other)),
    }
}

fn put(folder: &Path, call: &FileCall, quota: u64) -> Result<Vec<u8>, EngineError> {
    let to = place(folder, &call.path)?;
    let content = STANDARD.decode(&call.content_base64).map_err(EngineError::bad_payload)?;
    let others = list(folder)?;
    let used: u64 = others.iter().filter(|(p, _)| *p != call.path).map(|(_, size)| size).sum();
    if content.len() > FILE || used + content.len() as u64 > quota || others.len() >= COUNT {
        return Err(EngineError::new("quota_exceeded", format!("The folder holds at most {quota} bytes.")));
    }
    let io = |e: std::io::Error| failed("write a file", e);
    if let Some(parent) = to.parent() {
        std::fs::create_dir_all(parent).map_err(io)?;
    }
    let fresh = to.with_extension(format!("{}.new", uuid::Uuid::now_v7().simple()));
    std::fs::write(&fresh, content).map_err(io)?;
    std::fs::rename(&fresh, &to).map_err(io)?;
    nothing()
}

/// A path below the folder: plain parts only, so that nothing climbs out.
fn place(folder: &Path, path: &str) -> Result<PathBuf, EngineError> {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    };
    if path.len() > 240 || path.split('/').count() > 8 || !path.split('/').all(plain) {
        let why = "A path is up to 8 parts of letters, digits, `.`, `_` and `-`, joined by `/`.";
        return Err(EngineError::new("bad_path", why));
    }
    Ok(folder.join(path))
}

fn not_found(error: std::io::Error) -> EngineError {
    match error.kind() {
        std::io::ErrorKind::NotFound => EngineError::new("not_found", "There is no such file."),
        _ => failed("read a file", error),
    }
}

fn list(folder: &Path) -> Result<Vec<(String, u64)>, EngineError> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&next) else { continue };
        for entry in entries.flatten() {
            let Ok(meta) = entry.metadata() else { continue };
            if meta.is_dir() {
                open.push(entry.path());
            } else if let Ok(path) = entry.path().strip_prefix(folder) {
                found.push((path.to_string_lossy().into_owned(), meta.len()));
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, content: &[u8]) -> FileCall {
        FileCall { path: path.into(), content_base64: STANDARD.encode(content) }
    }

    #[test]
    fn a_path_never_leaves_the_folder() {
        for bad in ["", "/etc/passwd", "../x", "a/../b", "a//b", ".hidden", "a\\b", "a/./b", "x\0y"] {
            assert!(place(Path::new("/data"), bad).is_err(), "{bad}");
        }
        assert!(place(Path::new("/data"), "a/b-1.txt").is_ok());
    }

    #[test]
    fn the_quota_counts_every_file_once() {
        let dir = tempfile::tempdir().expect("a folder");
        put(dir.path(), &file("a", &[0; 600]), 1000).expect("it fits");
        put(dir.path(), &file("a", &[0; 900]), 1000).expect("it replaces");
        let error = put(dir.path(), &file("b", &[0; 200]), 1000).expect_err("too much");
        assert_eq!(error.code, "quota_exceeded");
    }
}
