//! Roots: the first one, and each next one, signed by the keys of the one before and by its own.

use std::{collections::HashMap, num::NonZeroU64};

use chrono::{DateTime, Utc};
use tough::schema::{
    self, RoleType, Root, Signed,
    decoded::{Decoded, Hex},
    key::Key,
};

use super::{
    PublicKey, PublishError, SPEC, SignKey,
    keys::{self, sign, tuf_key},
    moment,
};
use crate::metadata::{expiry, parse, signed_by_root};

/// Keys of a role, and how many of them must sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleKeys {
    /// Public keys.
    pub keys: Vec<PublicKey>,
    /// Signatures that are needed.
    pub threshold: u64,
}

impl RoleKeys {
    /// Any one of these keys.
    pub fn any_of(keys: impl IntoIterator<Item = PublicKey>) -> Self {
        Self { keys: keys.into_iter().collect(), threshold: 1 }
    }
}

/// What a root says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootBody {
    /// Whom the next root is believed from.
    pub root: RoleKeys,
    /// Timestamp.
    pub timestamp: RoleKeys,
    /// Snapshot.
    pub snapshot: RoleKeys,
    /// The vendor's targets.
    pub targets: RoleKeys,
}

/// The first root.
///
/// # Errors
/// When `signers` are too few.
pub fn first_root(
    body: &RootBody,
    expires: DateTime<Utc>,
    signers: &[&dyn SignKey],
) -> Result<Vec<u8>, PublishError> {
    let root = compose(NonZeroU64::MIN, body, expires)?;
    let own = given(&root, "the first root")?;
    keys::bytes(&sign("root", root, &own, signers.iter().copied())?)
}

/// The root after `current`, signed so that both its own keys and those of `current` vouch for it.
///
/// # Errors
/// When `signers` are too few for either, or `current` does not read.
pub fn next_root(
    current: &[u8],
    body: &RootBody,
    expires: DateTime<Utc>,
    signers: &[&dyn SignKey],
) -> Result<Vec<u8>, PublishError> {
    let before: Signed<Root> = parse("root.json", current).map_err(PublishError::Unreadable)?;
    let version = before.signed.version.checked_add(1);
    let version = version.ok_or_else(|| PublishError::Write("the root has no version left".into()))?;
    let root = compose(version, body, expires)?;
    // Whoever may sign for either root does; then each must have enough.
    let (own, old) = (given(&root, "the new root")?, given(&before.signed, "the root before")?);
    let mut all = own.clone();
    all.keyids.extend(old.keyids.iter().filter(|id| !own.keyids.contains(id)).cloned());
    all.threshold = NonZeroU64::MIN;
    let signed = sign("root", root, &all, signers.iter().copied())?;
    for (name, by, given) in
        [("the new root", &signed.signed, &own), ("the root before", &before.signed, &old)]
    {
        let found = signed.signatures.iter().filter(|s| given.keyids.contains(&s.keyid)).count() as u64;
        signed_by_root(by, "root", &signed).map_err(|_| PublishError::NotEnoughKeys {
            role: name.to_owned(),
            threshold: given.threshold.get(),
            found,
        })?;
    }
    keys::bytes(&signed)
}

/// Version, expiry and content of a root that vouches for itself and has Ed25519 keys only.
///
/// # Errors
/// When it does not read.
pub fn read_root(bytes: &[u8]) -> Result<(u64, DateTime<Utc>, RootBody), PublishError> {
    let signed: Signed<Root> = parse("root.json", bytes).map_err(PublishError::Unreadable)?;
    signed_by_root(&signed.signed, "root", &signed).map_err(PublishError::Unreadable)?;
    let root = signed.signed;
    let keys = |role: RoleType| {
        let given = root.roles.get(&role).map(|given| given.threshold.get()).unwrap_or_default();
        let of = root.keys(role).filter_map(|key| match key {
            Key::Ed25519 { keyval, .. } => PublicKey::try_from(&*keyval.public).ok(),
            _ => None,
        });
        RoleKeys { keys: of.collect(), threshold: given }
    };
    let body = RootBody {
        root: keys(RoleType::Root),
        timestamp: keys(RoleType::Timestamp),
        snapshot: keys(RoleType::Snapshot),
        targets: keys(RoleType::Targets),
    };
    Ok((root.version.get(), expiry(&root), body))
}

fn given(root: &Root, name: &'static str) -> Result<schema::RoleKeys, PublishError> {
    root.roles.get(&RoleType::Root).cloned().ok_or(PublishError::Threshold(name))
}

fn compose(version: NonZeroU64, body: &RootBody, expires: DateTime<Utc>) -> Result<Root, PublishError> {
    let mut keys: HashMap<Decoded<Hex>, Key> = HashMap::new();
    let mut roles = HashMap::new();
    for (role, name, of) in [
        (RoleType::Root, "root", &body.root),
        (RoleType::Timestamp, "timestamp", &body.timestamp),
        (RoleType::Snapshot, "snapshot", &body.snapshot),
        (RoleType::Targets, "targets", &body.targets),
    ] {
        let mut keyids = Vec::new();
        for public in &of.keys {
            let (id, key) = tuf_key(public)?;
            keys.insert(id.clone(), key);
            if !keyids.contains(&id) {
                keyids.push(id);
            }
        }
        let threshold = NonZeroU64::new(of.threshold).filter(|t| t.get() <= keyids.len() as u64);
        let threshold = threshold.ok_or(PublishError::Threshold(name))?;
        roles.insert(role, schema::RoleKeys { keyids, threshold, _extra: HashMap::new() });
    }
    Ok(Root {
        spec_version: SPEC.to_owned(),
        consistent_snapshot: true,
        version,
        expires: moment(expires)?,
        keys,
        roles,
        _extra: HashMap::new(),
    })
}
