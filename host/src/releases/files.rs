//! Release files on disk: received, verified, kept by version and target below `releases/` of the data directory.

use std::{
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use agent_protocol::release::{Head, ID, MAX_PROGRAM};
use chrono::{DateTime, Utc};
use ring::digest;
use trust::{SignatureSet, TrustStore, Usage};
use uuid::Uuid;

use super::error::ReleaseFault;

/// Largest file.
pub(super) const MAX_FILE: u64 = MAX_PROGRAM + (256 << 10);

/// The folder.
#[derive(Debug, Clone)]
pub(super) struct Files(PathBuf);

/// A file that was verified.
pub(super) struct Verified {
    pub head: Head,
    pub publisher: String,
    pub size: u64,
    pub sha256: String,
}

impl Files {
    pub fn open(data_dir: &Path) -> io::Result<Self> {
        let folder = data_dir.join("releases");
        let incoming = folder.join(".incoming");
        let _ = fs::remove_dir_all(&incoming);
        for folder in [&folder, &incoming] {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        Ok(Self(folder))
    }

    pub fn incoming(&self) -> io::Result<(PathBuf, File)> {
        let path = self.0.join(".incoming").join(Uuid::now_v7().to_string());
        let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok((path, file))
    }

    pub fn path(&self, version: &str, target: &str) -> PathBuf {
        self.0.join(version).join(format!("{target}.agent"))
    }

    pub fn keep(&self, from: &Path, version: &str, target: &str) -> io::Result<()> {
        let to = self.path(version, target);
        if let Some(folder) = to.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        fs::rename(from, to)
    }

    pub fn remove(&self, version: &str, target: &str) -> io::Result<()> {
        match fs::remove_file(self.path(version, target)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }
}

/// Verify signature and program. Blocks.
pub(super) fn verify(path: &Path, trust: &TrustStore, at: DateTime<Utc>) -> Result<Verified, ReleaseFault> {
    let whole = digest::Context::new(&digest::SHA256);
    let mut file = Hashing { file: File::open(path)?, whole, program: None, size: 0 };
    let head = Head::read(&mut file)?;
    let signatures = SignatureSet::parse(&head.signatures)?;
    let signer = signatures.verify(&head.manifest_bytes, Usage::Publisher, ID, at, trust)?;
    if !signer.realm.is_vendor() {
        // A third party may add engines, never replace the agent that verifies them.
        return Err(trust::Error::ForeignNamespace { subject: signer.subject, engine: ID.into() }.into());
    }
    file.program = Some(digest::Context::new(&digest::SHA256));
    let size = io::copy(&mut file, &mut io::sink())?;
    let hex = |context: digest::Context| data_encoding::HEXLOWER.encode(context.finish().as_ref());
    let program = file.program.take().map(hex);
    if size != head.manifest.size || program.as_deref() != Some(&head.manifest.sha256) {
        return Err(ReleaseFault::DigestMismatch);
    }
    Ok(Verified { publisher: signer.subject, size: file.size, sha256: hex(file.whole), head })
}

/// Hashes what is read through it: all of it, and the program alone.
struct Hashing {
    file: File,
    whole: digest::Context,
    program: Option<digest::Context>,
    size: u64,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.whole.update(&buffer[..n]);
        if let Some(program) = &mut self.program {
            program.update(&buffer[..n]);
        }
        self.size += n as u64;
        Ok(n)
    }
}
