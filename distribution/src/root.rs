//! The root chain: from what is trusted, link by link, to the repository's newest root.

use ring::digest::{SHA256, digest};
use tough::schema::{RoleType, Root, Signed};

use crate::{
    DistributionError, Limits, Transport,
    datastore::Datastore,
    fetch,
    metadata::{parse, rotated, signed_by_root},
    names::hex,
};

/// File of the newest trusted root.
pub(crate) const ROOT: &str = "root.json";
/// Digest of the root that trust began with.
const FIRST: &str = "first-root.sha256";
/// What is forgotten when keys of timestamp or snapshot change, so that versions that a thief of the old keys has made
/// as high as can be bind nobody (fast-forward recovery). Versions of targets stand in the snapshot.
const FORGOTTEN: [&str; 2] = ["timestamp.json", "snapshot.json"];

/// The root that this host trusts now: what it knows already, or what it was shipped with. Nothing is written.
pub(crate) async fn trusted(
    store: &Datastore,
    shipped: &[u8],
    limits: &Limits,
) -> Result<(Root, Option<Root>), DistributionError> {
    let first = own(shipped)?;
    let known = store.read(ROOT, limits.root).await?.and_then(|bytes| own(&bytes).ok());
    let mark = store.read(FIRST, 64).await?;
    if mark.as_deref() == Some(sum(shipped).as_bytes())
        && let Some(known) = &known
    {
        return Ok((known.clone(), Some(known.clone())));
    }
    Ok((first, known))
}

/// Follow the chain. Each link is on disk before the next one is asked for.
pub(crate) async fn follow(
    store: &Datastore,
    shipped: &[u8],
    transport: &dyn Transport,
    limits: &Limits,
) -> Result<Root, DistributionError> {
    let (mut root, known) = trusted(store, shipped, limits).await?;
    let mut ended = false;
    let mut newest: Option<Vec<u8>> = None;
    match &known {
        Some(known) => forget_where_rotated(store, known, &root).await?,
        None => begin(store, shipped, None).await?,
    }
    for _ in 0..=limits.root_steps {
        let Some(next) = root.version.checked_add(1) else {
            return Err(DistributionError::RootChainTooLong(limits.root_steps));
        };
        let file = format!("{next}.root.json");
        let Some(bytes) = fetch::metadata(transport, &file, limits.root, limits).await? else {
            ended = true;
            break;
        };
        let link: Signed<Root> = parse(&file, &bytes)?;
        signed_by_root(&root, &file, &link)?;
        signed_by_root(&link.signed, &file, &link)?;
        if link.signed.version != next {
            return Err(DistributionError::RootVersion {
                expected: next.get(),
                found: link.signed.version.get(),
            });
        }
        forget_where_rotated(store, &root, &link.signed).await?;
        // A chain from another first root may be shorter than what is known: that is decided at its end.
        if known.as_ref().is_none_or(|known| known.version < link.signed.version) {
            store.write(ROOT, &bytes).await?;
        }
        root = link.signed;
        newest = Some(bytes);
    }
    if !ended {
        return Err(DistributionError::RootChainTooLong(limits.root_steps));
    }
    if let Some(known) = known
        && known.version > root.version
    {
        return Err(DistributionError::RootRollback {
            known: known.version.get(),
            offered: root.version.get(),
            folder: store.folder().to_owned(),
        });
    }
    begin(store, shipped, newest).await?;
    if !root.consistent_snapshot {
        return Err(DistributionError::NotConsistent);
    }
    Ok(root)
}

/// Remember which root trust began with; the root itself first.
async fn begin(store: &Datastore, shipped: &[u8], newest: Option<Vec<u8>>) -> Result<(), DistributionError> {
    if store.read(FIRST, 64).await?.as_deref() == Some(sum(shipped).as_bytes()) {
        return Ok(());
    }
    store.write(ROOT, newest.as_deref().unwrap_or(shipped)).await?;
    store.write(FIRST, sum(shipped).as_bytes()).await
}

/// Before a root with other keys is believed, so that a crash between the two forgets too much rather than too little.
async fn forget_where_rotated(store: &Datastore, old: &Root, new: &Root) -> Result<(), DistributionError> {
    if rotated(old, new, RoleType::Timestamp) || rotated(old, new, RoleType::Snapshot) {
        for file in FORGOTTEN {
            store.remove(file).await?;
        }
    }
    Ok(())
}

/// A root that vouches for itself.
fn own(bytes: &[u8]) -> Result<Root, DistributionError> {
    let root: Signed<Root> = parse(ROOT, bytes)?;
    signed_by_root(&root.signed, ROOT, &root)?;
    Ok(root.signed)
}

fn sum(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}
