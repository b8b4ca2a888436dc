//! A repository that was checked: what is listed, and downloads bounded by what is signed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use ring::digest::{Context, SHA256, digest};
use semver::Version;
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt, SeekFrom},
};
use tough::schema::Target;

use crate::{
    ADVISORIES, Advisory, DistributionError, FLOORS, Limits, Listed, Location, REVOCATIONS, Transport,
    TransportError,
    delegations::Node,
    fetch::{self, unreachable, within},
    listed,
    names::{consistent_name, hex},
};

/// A role, or something that a role lists, which is not believed.
#[derive(Debug)]
pub struct BrokenRole {
    /// The role.
    pub role: String,
    /// Why.
    pub reason: DistributionError,
}

/// The repository as it was at a refresh.
pub struct Repository {
    targets: Node,
    releases: Vec<Listed>,
    broken: Vec<BrokenRole>,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) version: u64,
    pub(crate) limits: Limits,
}

impl Repository {
    pub(crate) fn new(targets: Node, mut broken: Vec<BrokenRole>) -> Self {
        let releases = releases(&targets, &mut broken);
        let limits = Limits::default();
        Self { targets, releases, broken, expires_at: DateTime::default(), version: 0, limits }
    }

    /// Releases that roles list which may do so, by path.
    pub fn releases(&self) -> &[Listed] {
        &self.releases
    }

    /// What is not believed, and why. All else is as good as without it.
    pub fn broken(&self) -> &[BrokenRole] {
        &self.broken
    }

    /// When a newer edition must be fetched at the latest.
    pub fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
    }

    /// Version of the snapshot: it grows with every change.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Length and SHA-256 of a target.
    ///
    /// # Errors
    /// When no role that may do so lists it.
    pub fn signed(&self, path: &str) -> Result<(u64, String), DistributionError> {
        self.target(path).map(|target| (target.length, hex(&target.hashes.sha256)))
    }

    fn target(&self, path: &str) -> Result<&Target, DistributionError> {
        let found = self.targets.find(path).map(|(_, target)| target);
        found.ok_or_else(|| DistributionError::UnknownTarget(path.to_owned()))
    }

    /// A small target, whole.
    ///
    /// # Errors
    /// When it is not listed, does not come, or is not what is signed.
    pub async fn read(&self, transport: &dyn Transport, path: &str) -> Result<Vec<u8>, DistributionError> {
        let target = self.target(path)?;
        let limit = self.limits.read;
        if target.length > limit {
            return Err(DistributionError::TooLong { file: path.to_owned(), limit });
        }
        let name = consistent_name(path, &target.hashes.sha256);
        let whole = fetch::whole(transport, Location::Target(&name), path, target.length);
        let bytes = within(self.limits.metadata_time, path, whole).await??;
        let bytes = bytes.ok_or_else(|| DistributionError::Missing(path.to_owned()))?;
        if *target.hashes.sha256 == *digest(&SHA256, &bytes).as_ref() {
            Ok(bytes)
        } else {
            Err(DistributionError::TargetDigest(path.to_owned()))
        }
    }

    /// The signed revocation list, where there is one.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn revocations(&self, transport: &dyn Transport) -> Result<Option<String>, DistributionError> {
        let Some(bytes) = self.read_if_listed(transport, REVOCATIONS).await? else { return Ok(None) };
        String::from_utf8(bytes).map(Some).map_err(|_| unreadable(REVOCATIONS, "it is no text"))
    }

    /// Advisories.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn advisories(&self, transport: &dyn Transport) -> Result<Vec<Advisory>, DistributionError> {
        let Some(bytes) = self.read_if_listed(transport, ADVISORIES).await? else { return Ok(Vec::new()) };
        serde_json::from_slice(&bytes).map_err(|e| unreadable(ADVISORIES, e))
    }

    /// The lowest good version of engines that have one.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn floors(
        &self,
        transport: &dyn Transport,
    ) -> Result<BTreeMap<String, Version>, DistributionError> {
        let Some(bytes) = self.read_if_listed(transport, FLOORS).await? else { return Ok(BTreeMap::new()) };
        serde_json::from_slice(&bytes).map_err(|e| unreadable(FLOORS, e))
    }

    async fn read_if_listed(
        &self,
        transport: &dyn Transport,
        path: &str,
    ) -> Result<Option<Vec<u8>>, DistributionError> {
        match self.read(transport, path).await {
            Err(DistributionError::UnknownTarget(_)) => Ok(None),
            read => read.map(Some),
        }
    }

    /// Download a target into `file`, which is open to read and to write and holds its first `resume_from` bytes from an
    /// earlier try. `on_progress` is told how many bytes are there. After [`DistributionError::TargetCut`], a stall or a
    /// transport's error the bytes that came stay, to go on from; after a wrong digest the file is empty.
    ///
    /// # Errors
    /// When it is not listed, does not come, or is not what is signed.
    pub async fn save(
        &self,
        transport: &dyn Transport,
        path: &str,
        file: &mut File,
        resume_from: u64,
        mut on_progress: impl FnMut(u64) + Send,
    ) -> Result<(), DistributionError> {
        let target = self.target(path)?;
        if target.length > self.limits.save {
            return Err(DistributionError::TooLong { file: path.to_owned(), limit: self.limits.save });
        }
        let mut saving =
            Saving { path, file, sum: Context::new(&SHA256), received: 0, length: target.length };
        saving.take_up(resume_from).await?;
        on_progress(saving.received);
        if saving.received < saving.length {
            let name = consistent_name(path, &target.hashes.sha256);
            let fetch = transport.fetch(Location::Target(&name), saving.received);
            let mut fetched = match within(self.limits.stall, path, fetch).await? {
                Err(TransportError::NotFound) => return Err(DistributionError::Missing(path.to_owned())),
                answer => answer.map_err(|source| unreachable(path, source))?,
            };
            if fetched.from != saving.received {
                saving.begin_again().await?;
                if fetched.from != 0 {
                    return Err(DistributionError::TargetCut {
                        name: path.to_owned(),
                        received: 0,
                        length: saving.length,
                    });
                }
            }
            while let Some(piece) = within(self.limits.stall, path, fetched.body.next()).await? {
                saving.add(&piece.map_err(|source| unreachable(path, source))?).await?;
                on_progress(saving.received);
            }
        }
        saving.end(&target.hashes.sha256).await
    }
}

fn unreadable(file: &str, why: impl ToString) -> DistributionError {
    DistributionError::Malformed { file: file.to_owned(), why: why.to_string() }
}

/// A download under way.
struct Saving<'a> {
    path: &'a str,
    file: &'a mut File,
    sum: Context,
    received: u64,
    length: u64,
}

impl Saving<'_> {
    /// Read what an earlier try has left. More than is signed is of no use, nor is less than was promised.
    async fn take_up(&mut self, resume_from: u64) -> Result<(), DistributionError> {
        if resume_from == 0 || resume_from > self.length {
            return self.begin_again().await;
        }
        self.file.seek(SeekFrom::Start(0)).await.map_err(|e| self.failed(e))?;
        let mut piece = vec![0; 64 << 10];
        while self.received < resume_from {
            let most = usize::try_from(resume_from - self.received).unwrap_or(usize::MAX).min(piece.len());
            let read = self.file.read(&mut piece[..most]).await.map_err(|e| self.failed(e))?;
            if read == 0 {
                break;
            }
            self.sum.update(&piece[..read]);
            self.received += read as u64;
        }
        self.file.set_len(self.received).await.map_err(|e| self.failed(e))
    }

    async fn begin_again(&mut self) -> Result<(), DistributionError> {
        self.sum = Context::new(&SHA256);
        self.received = 0;
        self.file.set_len(0).await.map_err(|e| self.failed(e))?;
        self.file.seek(SeekFrom::Start(0)).await.map_err(|e| self.failed(e))?;
        Ok(())
    }

    async fn add(&mut self, piece: &[u8]) -> Result<(), DistributionError> {
        if piece.len() as u64 > self.length - self.received {
            let (file, limit) = (self.path.to_owned(), self.length);
            self.begin_again().await?;
            return Err(DistributionError::TooLong { file, limit });
        }
        self.file.write_all(piece).await.map_err(|e| self.failed(e))?;
        self.sum.update(piece);
        self.received += piece.len() as u64;
        Ok(())
    }

    async fn end(mut self, sha256: &[u8]) -> Result<(), DistributionError> {
        self.file.flush().await.map_err(|e| self.failed(e))?;
        let name = self.path.to_owned();
        if self.received < self.length {
            return Err(DistributionError::TargetCut { name, received: self.received, length: self.length });
        }
        let sum = std::mem::replace(&mut self.sum, Context::new(&SHA256)).finish();
        if *sum.as_ref() != *sha256 {
            self.begin_again().await?;
            return Err(DistributionError::TargetDigest(name));
        }
        self.file.sync_all().await.map_err(|e| self.failed(e))
    }

    fn failed(&self, source: std::io::Error) -> DistributionError {
        DistributionError::Write { name: self.path.to_owned(), source }
    }
}

/// The releases of all roles. Who lists what it may not, or what another role has already, is told.
fn releases(targets: &Node, broken: &mut Vec<BrokenRole>) -> Vec<Listed> {
    let mut found: BTreeMap<String, Listed> = BTreeMap::new();
    let mut lower: BTreeMap<String, String> = BTreeMap::new();
    targets.each(&mut |node: &Node| {
        for (path, target) in &node.targets {
            let mut refuse = |reason| broken.push(BrokenRole { role: node.role.clone(), reason });
            match targets.find(path) {
                Some((owner, _)) if std::ptr::eq(owner, node) => {}
                // Somebody of higher priority speaks for it.
                Some(_) => continue,
                None => {
                    let (role, name) = (node.role.clone(), path.clone());
                    refuse(DistributionError::NotDelegated { role, name });
                    continue;
                }
            }
            if let Some(one) = lower.get(&path.to_ascii_lowercase()) {
                let (role, one, other) = (node.role.clone(), one.clone(), path.clone());
                refuse(DistributionError::NamesDifferInCase { role, one, other });
                continue;
            }
            lower.insert(path.to_ascii_lowercase(), path.clone());
            if !path.starts_with("engines/") {
                continue;
            }
            match listed::release(path, target) {
                Ok(release) => {
                    let sha256 = hex(&target.hashes.sha256);
                    let role = node.role.clone();
                    let listed = Listed { path: path.clone(), release, length: target.length, sha256, role };
                    found.insert(path.clone(), listed);
                }
                Err(reason) => refuse(reason),
            }
        }
    });
    found.into_values().collect()
}
