//! A release on its way to this machine: bounded, signed for this agent and this system, newer than what runs.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use agent_protocol::{
    core_command::{AgentUpdate, ReleaseFile},
    release::{Head, ID, ReleaseError, release_path},
};
use chrono::{DateTime, Utc};
use http::StatusCode;
use http_body_util::BodyExt;
use ring::digest;
use semver::Version;
use trust::{EngineStanding, SignatureSet, TrustStore, Usage};

use super::{Staged, folder, program_in, running};
use crate::{
    facts,
    http_client::{Client, HttpError},
    storage::{self, private_dir, write_private},
};

/// A download that stands still this long has failed.
const STALLED: Duration = Duration::from_secs(60);
/// The whole file: the largest program and its head.
const MAX_FILE: u64 = agent_protocol::release::MAX_PROGRAM + (256 << 10);

/// Why an update is not begun.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// Nothing for this system.
    #[error("This release has no program for {}.", facts::TARGET)]
    WrongTarget,
    /// It is older than what runs.
    #[error("{wanted} is older than the {running} that runs; agents are not downgraded.")]
    Downgrade {
        /// What was asked for.
        wanted: Version,
        /// What runs.
        running: Version,
    },
    /// Not a version.
    #[error("`{0}` is not a version.")]
    Version(String),
    /// There is no connection.
    #[error("The agent is not connected to its host.")]
    NotConnected,
    /// The host did not give it.
    #[error("The release cannot be fetched: {0}.")]
    Fetch(#[from] HttpError),
    /// The host answered something else.
    #[error("The release cannot be fetched: {0}.")]
    Answer(String),
    /// It is not what was announced.
    #[error("The release that came is not the one that was announced: {0}.")]
    Other(&'static str),
    /// It is not a release.
    #[error("The release cannot be used: {0}.")]
    Malformed(#[from] ReleaseError),
    /// Nobody we believe signed it.
    #[error("The release's signature is refused: {0}.")]
    Signature(#[from] trust::Error),
    /// It was withdrawn.
    #[error("This version was withdrawn: {0}.")]
    Withdrawn(String),
    /// The disk.
    #[error("The release cannot be stored: {0}.")]
    Disk(#[from] io::Error),
}

impl UpdateError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::WrongTarget => "wrong_target",
            Self::Downgrade { .. } => "downgrade_refused",
            Self::Version(_) => "invalid_parameters",
            Self::NotConnected | Self::Fetch(_) | Self::Answer(_) => "fetch_failed",
            Self::Other(_) => "digest_mismatch",
            Self::Malformed(_) => "malformed_release",
            Self::Signature(_) => "bad_signature",
            Self::Withdrawn(_) => "version_killed",
            Self::Disk(_) => "disk_failed",
        }
    }
}

/// Fetch and verify what `asked` names; `None` when it runs already.
pub async fn stage(
    data: &Path,
    asked: &AgentUpdate,
    client: Option<Client>,
    trust: TrustStore,
) -> Result<Option<Staged>, UpdateError> {
    let version: Version = asked.version.parse().map_err(|_| UpdateError::Version(asked.version.clone()))?;
    let now = running();
    if version == now {
        return Ok(None);
    }
    if version < now {
        return Err(UpdateError::Downgrade { wanted: version, running: now });
    }
    let file =
        asked.files.iter().find(|file| file.target == facts::TARGET).ok_or(UpdateError::WrongTarget)?;
    let folder = folder(data, &version);
    // What an earlier trial left.
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => private_dir(&folder)?,
    }
    let whole = folder.join("release");
    receive(&client.ok_or(UpdateError::NotConnected)?, &asked.version, file, &whole).await?;
    let (target, wanted) = (folder.clone(), file.clone());
    let unpacked = tokio::task::spawn_blocking(move || unpack(&target, &wanted, &trust, Utc::now()));
    let head = unpacked.await.map_err(|_| UpdateError::Other("the check did not end"))??;
    if head.manifest.version != asked.version {
        return Err(UpdateError::Other("it is another version"));
    }
    Ok(Some(Staged { version, program: program_in(&folder), within_s: asked.confirm_within_s() }))
}

async fn receive(client: &Client, version: &str, file: &ReleaseFile, to: &Path) -> Result<(), UpdateError> {
    if file.size > MAX_FILE {
        return Err(UpdateError::Malformed(ReleaseError::TooLarge("program")));
    }
    let response = client.get_from(&release_path(version, &file.target), 0).await?;
    if response.status() != StatusCode::OK {
        return Err(UpdateError::Answer(format!("the host answered {}", response.status())));
    }
    let mut out = storage::create_private(to)?;
    let (mut body, mut size) = (response.into_body(), 0_u64);
    loop {
        let frame = tokio::time::timeout(STALLED, body.frame()).await;
        let frame = frame.map_err(|_| UpdateError::Answer("the download stands still".into()))?;
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|error| UpdateError::Answer(format!("the download broke off: {error}")))?;
        let Some(data) = frame.data_ref() else { continue };
        size += data.len() as u64;
        if size > file.size {
            return Err(UpdateError::Other("it is larger"));
        }
        out.write_all(data)?;
    }
    out.sync_all()?;
    Ok(())
}

/// Split the file into head and program, and check both.
fn unpack(
    folder: &Path,
    wanted: &ReleaseFile,
    trust: &TrustStore,
    at: DateTime<Utc>,
) -> Result<Head, UpdateError> {
    let whole = folder.join("release");
    let mut file =
        Hashing { file: File::open(&whole)?, hash: digest::Context::new(&digest::SHA256), size: 0 };
    let head = Head::read(&mut file)?;
    verify(&head, trust, at)?;
    let program = program_in(folder);
    let mut out = storage::create_private(&program)?;
    let copied = io::copy(&mut file, &mut out)?;
    out.sync_all()?;
    drop(out);
    if copied != head.manifest.size || file.size != wanted.size {
        return Err(UpdateError::Other("it has another size"));
    }
    if data_encoding::HEXLOWER.encode(file.hash.finish().as_ref()) != wanted.sha256 {
        return Err(UpdateError::Other("its digest is another"));
    }
    check_program(&program, &head)?;
    write_private(&folder.join("head"), &head.to_bytes())?;
    write_private(&folder.join("admitted"), at.to_rfc3339().as_bytes())?;
    executable(&program)?;
    fs::remove_file(whole)?;
    storage::sync_folder(&program)?;
    Ok(head)
}

/// Signed for the agent by a publisher of the vendor's, for this system, and not withdrawn.
fn verify(head: &Head, trust: &TrustStore, at: DateTime<Utc>) -> Result<(), UpdateError> {
    let signatures = SignatureSet::parse(&head.signatures)?;
    let signer = signatures.verify(&head.manifest_bytes, Usage::Publisher, ID, at, trust)?;
    if !signer.realm.is_vendor() {
        // A third party may add engines, never replace the agent that verifies them.
        return Err(trust::Error::ForeignNamespace { subject: signer.subject, engine: ID.into() }.into());
    }
    if head.manifest.target != facts::TARGET {
        return Err(UpdateError::WrongTarget);
    }
    let version = head.manifest.version.parse();
    let version: Version = version.map_err(|_| UpdateError::Version(head.manifest.version.clone()))?;
    match trust.revocations().engine(ID, &version) {
        EngineStanding::Good => Ok(()),
        EngineStanding::Killed { reason } => Err(UpdateError::Withdrawn(reason)),
        EngineStanding::BelowLowestGood { lowest } => {
            Err(UpdateError::Withdrawn(format!("every version before {lowest} was")))
        }
    }
}

fn check_program(program: &Path, head: &Head) -> Result<(), UpdateError> {
    let mut file =
        Hashing { file: File::open(program)?, hash: digest::Context::new(&digest::SHA256), size: 0 };
    io::copy(&mut file, &mut io::sink())?;
    if data_encoding::HEXLOWER.encode(file.hash.finish().as_ref()) != head.manifest.sha256 {
        return Err(UpdateError::Other("its program is not the signed one"));
    }
    Ok(())
}

/// Check a release that was admitted before: the certificate counts as of then, revocations as of now.
pub(super) fn check_stored(data: &Path, folder: &Path) -> Result<(), UpdateError> {
    let head = Head::read(File::open(folder.join("head"))?)?;
    let admitted = fs::read_to_string(folder.join("admitted"))?;
    let at: DateTime<Utc> = admitted.trim().parse().map_err(|_| UpdateError::Other("its date is damaged"))?;
    verify(&head, &crate::engines::stored_trust(data), at)?;
    check_program(&program_in(folder), &head)
}

#[cfg(unix)]
fn executable(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700))
}

#[cfg(not(unix))]
fn executable(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Hashes and counts what is read through it.
struct Hashing {
    file: File,
    hash: digest::Context,
    size: u64,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.hash.update(&buffer[..n]);
        self.size += n as u64;
        Ok(n)
    }
}

/// Remove every release but the running one and `keep`.
pub(super) fn tidy(data: &Path, keep: &Version) {
    let keep = [keep.to_string(), running().to_string()];
    let entries = fs::read_dir(data.join("releases")).into_iter().flatten().flatten();
    let old: Vec<PathBuf> = entries
        .filter(|entry| !keep.iter().any(|name| entry.file_name().to_str() == Some(name)))
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    for path in old {
        if let Err(error) = fs::remove_dir_all(&path) {
            tracing::warn!(%error, "an old release cannot be removed");
        }
    }
}
