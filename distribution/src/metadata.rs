//! Metadata read and checked: type, signatures, content as listed, expiry.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tough::schema::{
    DelegatedRole, Delegations, Error as SchemaError, Metafile, Role, RoleKeys, RoleType, Root, Signed,
    Targets,
    decoded::{Decoded, Hex},
    key::Key,
};

use crate::{DistributionError, names::check_target};

type Keys = HashMap<Decoded<Hex>, Key>;

/// The part that tells what a file is. `tough` does not compare the type: only the signature would not fit.
#[derive(Deserialize)]
struct Envelope {
    signed: Head,
}

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "_type")]
    kind: String,
    spec_version: String,
}

/// Read a file of a role. Nothing of it is believed yet.
pub(crate) fn parse<T: Role + DeserializeOwned>(
    file: &str,
    bytes: &[u8],
) -> Result<Signed<T>, DistributionError> {
    let malformed =
        |e: serde_json::Error| DistributionError::Malformed { file: file.to_owned(), why: e.to_string() };
    let Envelope { signed: head } = serde_json::from_slice(bytes).map_err(malformed)?;
    let wrong = |expected: &str, found| {
        Err(DistributionError::WrongType { file: file.to_owned(), expected: expected.to_owned(), found })
    };
    let expected = T::TYPE.to_string();
    if head.kind != expected {
        return wrong(&expected, head.kind);
    }
    if head.spec_version.split('.').next() != Some("1") {
        return wrong("TUF 1", format!("TUF {}", head.spec_version));
    }
    serde_json::from_slice(bytes).map_err(malformed)
}

/// Read a file of targets.
pub(crate) fn parse_targets(role: &str, bytes: &[u8]) -> Result<Signed<Targets>, DistributionError> {
    parse(&format!("{role}.json"), bytes).map_err(|error| unsafe_name(role, bytes).unwrap_or(error))
}

/// The name that keeps a file of targets from being read, if that is why: `tough` does not even read some names.
fn unsafe_name(role: &str, bytes: &[u8]) -> Option<DistributionError> {
    #[derive(Deserialize)]
    struct File {
        signed: Names,
    }
    #[derive(Deserialize)]
    struct Names {
        targets: HashMap<String, serde::de::IgnoredAny>,
    }
    let file: File = serde_json::from_slice(bytes).ok()?;
    file.signed.targets.into_keys().find_map(|name| {
        let why = check_target(&name).err()?;
        Some(DistributionError::UnsafeName { role: role.to_owned(), name, why })
    })
}

/// Fail unless a root vouches for this top-level role (or the next root).
pub(crate) fn signed_by_root<T: Role + Serialize>(
    root: &Root,
    name: &str,
    role: &Signed<T>,
) -> Result<(), DistributionError> {
    if let Some(keys) = root.roles.get(&T::TYPE) {
        distinct(name, keys, &root.keys)?;
    }
    root.verify_role(role).map_err(|e| refusal(name, e))
}

/// Fail unless whoever delegates to this role vouches for it.
pub(crate) fn signed_by_delegation(
    parent: &Delegations,
    given: &DelegatedRole,
    role: &Signed<Targets>,
) -> Result<(), DistributionError> {
    distinct(&given.name, &given.keys(), &parent.keys)?;
    parent.verify_role(role, &given.name).map_err(|e| refusal(&given.name, e))
}

/// One key counts once: not by being listed twice, and not under two ids (fields that mean nothing change an id).
fn distinct(name: &str, role: &RoleKeys, keys: &Keys) -> Result<(), DistributionError> {
    let mut seen: Vec<&[u8]> = Vec::new();
    for key in role.keyids.iter().filter_map(|id| keys.get(id)) {
        let public: &[u8] = match key {
            Key::Rsa { keyval, .. } => &keyval.public,
            Key::Ed25519 { keyval, .. } => &keyval.public,
            Key::Ecdsa { keyval, .. } | Key::EcdsaOld { keyval, .. } => &keyval.public,
        };
        if seen.contains(&public) {
            return Err(DistributionError::KeyTwice(name.to_owned()));
        }
        seen.push(public);
    }
    Ok(())
}

fn refusal(name: &str, error: SchemaError) -> DistributionError {
    match error {
        SchemaError::SignatureThreshold { valid: 0, .. } => DistributionError::WrongKey(name.to_owned()),
        SchemaError::SignatureThreshold { threshold, valid, .. } => {
            DistributionError::ThresholdNotMet { role: name.to_owned(), valid, threshold }
        }
        SchemaError::DuplicateKeyId { .. } => DistributionError::KeyTwice(name.to_owned()),
        other => DistributionError::Malformed { file: format!("{name}.json"), why: other.to_string() },
    }
}

/// Whether a file is the one that its parent lists.
pub(crate) fn as_listed(listed: &Metafile, bytes: &[u8]) -> bool {
    listed.length.is_none_or(|length| length == bytes.len() as u64)
        && listed.hashes.as_ref().is_none_or(|h| *h.sha256 == *digest(&SHA256, bytes).as_ref())
}

/// Fail unless the role is of the listed version.
pub(crate) fn of_version(name: &str, listed: &Metafile, role: &impl Role) -> Result<(), DistributionError> {
    let (listed, found) = (listed.version.get(), role.version().get());
    if listed == found {
        return Ok(());
    }
    Err(DistributionError::MixedVersions { role: name.to_owned(), listed, found })
}

/// Fail unless the role holds at `now`.
pub(crate) fn unexpired(name: &str, role: &impl Role, now: DateTime<Utc>) -> Result<(), DistributionError> {
    let at = expiry(role);
    if at > now { Ok(()) } else { Err(DistributionError::Expired { role: name.to_owned(), at }) }
}

/// When a role expires. An instant that is out of range has passed.
pub(crate) fn expiry(role: &impl Role) -> DateTime<Utc> {
    DateTime::from_timestamp(role.expires().as_second(), 0).unwrap_or_default()
}

/// Whether another root gives a role to other keys.
pub(crate) fn rotated(one: &Root, other: &Root, role: RoleType) -> bool {
    let keys = |root: &Root| {
        let given = root.roles.get(&role)?;
        let mut ids: Vec<Vec<u8>> = given.keyids.iter().map(|id| id.to_vec()).collect();
        ids.sort();
        Some((ids, given.threshold))
    };
    keys(one) != keys(other)
}
