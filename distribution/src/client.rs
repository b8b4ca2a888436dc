//! The client's workflow: root, timestamp, snapshot, targets, then each delegation on its own.

use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Serialize, de::DeserializeOwned};
use tough::schema::{Metafile, Role, Root, Signed, Snapshot, Targets, Timestamp};

use crate::{
    DistributionError, Limits, Repository, Transport,
    datastore::Datastore,
    delegations::Walk,
    fetch,
    metadata::{as_listed, expiry, of_version, parse, parse_targets, signed_by_root, unexpired},
    root,
};

/// What a refresh needs. One refresh at a time uses a datastore.
#[derive(Debug, Clone)]
pub struct Client {
    /// The root that was shipped with this program, or that an administrator has put in its place.
    pub root: Vec<u8>,
    /// Folder of what is trusted already. One folder for each first root.
    pub datastore: PathBuf,
    /// The time: the greater of the clock and the latest instant ever seen.
    pub now: DateTime<Utc>,
    /// Limits.
    pub limits: Limits,
    /// How long after their expiry timestamp and snapshot are still believed: nothing for a portal, some weeks for a
    /// bundle that somebody carries to a host without a network. Rollback is refused all the same.
    pub patience: TimeDelta,
}

/// Where metadata come from: the repository and the datastore, or the datastore alone.
pub(crate) struct Source<'a> {
    pub(crate) store: &'a Datastore,
    pub(crate) transport: Option<&'a dyn Transport>,
    pub(crate) limits: &'a Limits,
}

impl Client {
    /// A client with the usual limits, for a repository that is on line.
    pub fn new(root: impl Into<Vec<u8>>, datastore: PathBuf, now: DateTime<Utc>) -> Self {
        Self { root: root.into(), datastore, now, limits: Limits::default(), patience: TimeDelta::zero() }
    }

    /// The same, believing what has expired no longer ago than this: for a bundle.
    #[must_use]
    pub fn with_patience(self, patience: TimeDelta) -> Self {
        Self { patience, ..self }
    }

    /// Fetch what is new, check it, and remember it.
    ///
    /// # Errors
    /// One variant for each attack. What was trusted before stays trusted.
    pub async fn refresh(&self, transport: &dyn Transport) -> Result<Repository, DistributionError> {
        let store = Datastore::new(&self.datastore);
        let _lock = store.lock().await?;
        let root = root::follow(&store, &self.root, transport, &self.limits).await?;
        unexpired("root", &root, self.now)?;
        let source = Source { store: &store, transport: Some(transport), limits: &self.limits };
        self.load(&source, &root).await
    }

    /// What was trusted at the last refresh, from the datastore alone; none when there was none. For a start without the
    /// portal; what has expired since is refused as ever.
    ///
    /// # Errors
    /// As [`refresh`](Self::refresh).
    pub async fn stored(&self) -> Result<Option<Repository>, DistributionError> {
        let store = Datastore::new(&self.datastore);
        let source = Source { store: &store, transport: None, limits: &self.limits };
        let (root, known) = root::trusted(&store, &self.root, &self.limits).await?;
        if known.is_none_or(|known| known != root) {
            return Ok(None);
        }
        unexpired("root", &root, self.now)?;
        if known_role::<Timestamp>(&source, "timestamp", &root, self.limits.timestamp).await?.is_none() {
            return Ok(None);
        }
        self.load(&source, &root).await.map(Some)
    }

    async fn load(&self, source: &Source<'_>, root: &Root) -> Result<Repository, DistributionError> {
        let lenient = self.now - self.patience;
        let timestamp = timestamp(source, root, lenient).await?;
        let snapshot = snapshot(source, root, &timestamp, lenient).await?;
        let targets = top_targets(source, root, &snapshot, self.now).await?;
        let expires_at =
            [expiry(&timestamp), expiry(&snapshot), expiry(&targets), expiry(root)].into_iter().min();
        let walk = Walk::new(source, &snapshot, self.now);
        let mut repository = walk.all(targets).await?;
        repository.expires_at = expires_at.unwrap_or_default();
        repository.version = snapshot.version.get();
        repository.limits = self.limits.clone();
        Ok(repository)
    }
}

async fn timestamp(
    source: &Source<'_>,
    root: &Root,
    now: DateTime<Utc>,
) -> Result<Timestamp, DistributionError> {
    const FILE: &str = "timestamp.json";
    let limit = source.limits.timestamp;
    let known = known_role::<Timestamp>(source, "timestamp", root, limit).await?;
    let Some(transport) = source.transport else {
        let known = known.ok_or_else(|| DistributionError::Missing(FILE.to_owned()))?;
        unexpired("timestamp", &known, now)?;
        return Ok(known);
    };
    let bytes = fetch::metadata(transport, FILE, limit, source.limits).await?;
    let bytes = bytes.ok_or_else(|| DistributionError::Missing(FILE.to_owned()))?;
    let new: Signed<Timestamp> = parse(FILE, &bytes)?;
    signed_by_root(root, "timestamp", &new)?;
    let new = new.signed;
    let listed = listed(&new.meta, "snapshot")?.version;
    if let Some(known) = known {
        not_older("timestamp", known.version.get(), new.version.get())?;
        if let Some(before) = known.meta.get("snapshot.json") {
            not_older("snapshot", before.version.get(), listed.get())?;
        }
        if known.version == new.version {
            // The same version twice says the same, whatever came now.
            unexpired("timestamp", &known, now)?;
            return Ok(known);
        }
    }
    unexpired("timestamp", &new, now)?;
    source.store.write(FILE, &bytes).await?;
    Ok(new)
}

async fn snapshot(
    source: &Source<'_>,
    root: &Root,
    timestamp: &Timestamp,
    now: DateTime<Utc>,
) -> Result<Snapshot, DistributionError> {
    let listed = listed(&timestamp.meta, "snapshot")?;
    let limit = source.limits.snapshot;
    let known = known_role::<Snapshot>(source, "snapshot", root, limit).await?;
    let (bytes, fresh) = obtain(source, "snapshot", listed, limit).await?;
    let new: Signed<Snapshot> = parse("snapshot.json", &bytes)?;
    signed_by_root(root, "snapshot", &new)?;
    let new = new.signed;
    of_version("snapshot", listed, &new)?;
    if let Some(known) = &known {
        not_older("snapshot", known.version.get(), new.version.get())?;
    }
    for (file, before) in known.iter().flat_map(|known| &known.meta) {
        let role = file.strip_suffix(".json").unwrap_or(file);
        match new.meta.get(file) {
            Some(after) => not_older(role, before.version.get(), after.version.get())?,
            None => return Err(DistributionError::RoleRemoved(role.to_owned())),
        }
    }
    unexpired("snapshot", &new, now)?;
    if fresh {
        source.store.write("snapshot.json", &bytes).await?;
    }
    Ok(new)
}

async fn top_targets(
    source: &Source<'_>,
    root: &Root,
    snapshot: &Snapshot,
    now: DateTime<Utc>,
) -> Result<Targets, DistributionError> {
    let listed = listed(&snapshot.meta, "targets")?;
    let (bytes, fresh) = obtain(source, "targets", listed, source.limits.targets).await?;
    let new = parse_targets("targets", &bytes)?;
    signed_by_root(root, "targets", &new)?;
    of_version("targets", listed, &new.signed)?;
    unexpired("targets", &new.signed, now)?;
    if fresh {
        source.store.write("targets.json", &bytes).await?;
    }
    Ok(new.signed)
}

/// What a parent lists of a role.
pub(crate) fn listed<'a>(
    meta: &'a std::collections::HashMap<String, Metafile>,
    role: &str,
) -> Result<&'a Metafile, DistributionError> {
    meta.get(&format!("{role}.json")).ok_or_else(|| DistributionError::NotInSnapshot(role.to_owned()))
}

/// The listed file of a role: the one that is known already where it is the same, else that of the repository; and
/// whether it is new here.
pub(crate) async fn obtain(
    source: &Source<'_>,
    role: &str,
    listed: &Metafile,
    limit: u64,
) -> Result<(Vec<u8>, bool), DistributionError> {
    let limit = listed.length.map_or(limit, |length| length.min(limit));
    let known = source.store.read(&format!("{role}.json"), limit).await?;
    // Without a digest only the version tells whether it is the same, and that is read below the signature.
    let same = |bytes: &Vec<u8>| listed.hashes.is_some() && as_listed(listed, bytes);
    let Some(transport) = source.transport else {
        let known = known.ok_or_else(|| DistributionError::Missing(format!("{role}.json")))?;
        return if as_listed(listed, &known) {
            Ok((known, false))
        } else {
            Err(DistributionError::MixedContent(role.to_owned()))
        };
    };
    if let Some(known) = known.filter(same) {
        return Ok((known, false));
    }
    let file = format!("{}.{role}.json", listed.version);
    let bytes = fetch::metadata(transport, &file, limit, source.limits).await?;
    let bytes = bytes.ok_or(DistributionError::Missing(file))?;
    if as_listed(listed, &bytes) {
        Ok((bytes, true))
    } else {
        Err(DistributionError::MixedContent(role.to_owned()))
    }
}

/// The role that was trusted last, if the root of now still vouches for it. Its expiry does not matter: its versions do.
async fn known_role<T: Role + Serialize + DeserializeOwned>(
    source: &Source<'_>,
    name: &str,
    root: &Root,
    limit: u64,
) -> Result<Option<T>, DistributionError> {
    let file = format!("{name}.json");
    let Some(bytes) = source.store.read(&file, limit).await? else { return Ok(None) };
    let known = parse::<T>(&file, &bytes).ok().filter(|known| signed_by_root(root, name, known).is_ok());
    Ok(known.map(|known| known.signed))
}

fn not_older(role: &str, known: u64, offered: u64) -> Result<(), DistributionError> {
    if offered >= known {
        return Ok(());
    }
    Err(DistributionError::Rollback { role: role.to_owned(), known, offered })
}
