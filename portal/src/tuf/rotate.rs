//! Other keys for a role: a new root, and everything signed as it wants, in one transaction.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use distribution::publish::{self, Lifetimes, OnlineKeys, RoleKeys, RootBody, SignKey, next_root, read_root};
use serde::Serialize;

use super::{Tuf, TufError, keys, store};
use crate::{audit::Change, config::DistributionConfig, ctx::Ctx};

/// A role that the root names keys for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The root itself.
    Root,
    /// The timestamp.
    Timestamp,
    /// The snapshot.
    Snapshot,
    /// The vendor's targets.
    Targets,
}

/// What a rotation shall do.
#[derive(Debug, Clone)]
pub struct Rotation {
    /// Whose keys.
    pub role: Role,
    /// PEM files of the keys from now on; none to sign the root anew with the keys of now, for a later end.
    pub key_files: Vec<String>,
    /// How many of them must sign; as before where absent, and at most as many as there are.
    pub threshold: Option<u64>,
    /// Keys of the root beside those of the configuration.
    pub root_key_files: Vec<String>,
}

/// The root that a rotation made.
#[derive(Debug, Clone, Serialize)]
pub struct Rotated {
    /// Version.
    pub version: u64,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
    /// Whose keys changed.
    pub role: Role,
}

/// The first root, of the configured keys, any of which may sign for its role; of the root's own keys `threshold` must.
pub fn first_root(
    config: &DistributionConfig,
    threshold: u64,
    now: DateTime<Utc>,
) -> Result<Vec<u8>, TufError> {
    let (root, online) = (keys::root(config)?, keys::online(config)?);
    let any = |keys: &[Box<dyn SignKey>]| RoleKeys::any_of(keys.iter().map(|key| key.public_key()));
    let body = RootBody {
        root: RoleKeys { keys: root.iter().map(SignKey::public_key).collect(), threshold },
        timestamp: any(&online.timestamp),
        snapshot: any(&online.snapshot),
        targets: any(&online.targets),
    };
    let signers: Vec<&dyn SignKey> = root.iter().map(|key| key as &dyn SignKey).collect();
    Ok(publish::first_root(&body, now + Lifetimes::default().root, &signers)?)
}

impl Tuf {
    /// Make the next root. Hosts follow the chain from the root that they know; nothing that they hold becomes bad.
    pub async fn rotate(&self, ctx: &Ctx, rotation: &Rotation) -> Result<Rotated, TufError> {
        ctx.require_staff()?;
        let _turn = self.turn.lock().await;
        let documents = self.documents().await?;
        let config = self.configured().await?;
        let new = keys::open(&rotation.key_files)?;
        let mut signers = keys::root(&config)?;
        signers.extend(keys::open(&rotation.root_key_files)?);
        let tx = self.core.db.begin().await?;
        store::lock(&tx).await?;
        let before = self.root(&tx).await?;
        let (_, _, mut body) = read_root(&before)?;
        let of = match rotation.role {
            Role::Root => &mut body.root,
            Role::Timestamp => &mut body.timestamp,
            Role::Snapshot => &mut body.snapshot,
            Role::Targets => &mut body.targets,
        };
        if !new.is_empty() {
            let threshold = rotation.threshold.unwrap_or(of.threshold.min(new.len() as u64));
            *of = RoleKeys { keys: new.iter().map(SignKey::public_key).collect(), threshold };
        } else if rotation.role != Role::Root {
            let why = "Name the new keys with --key-file; only the root can be signed anew with its own.";
            return Err(TufError::Invalid("key_file", why.into()));
        }
        let online = self.online(&config, rotation)?;
        if rotation.role == Role::Root {
            signers.extend(new);
        }
        let expires = self.core.clock.now() + Lifetimes::default().root;
        let signed = tokio::task::spawn_blocking(move || {
            let signers: Vec<&dyn SignKey> = signers.iter().map(|key| key as &dyn SignKey).collect();
            next_root(&before, &body, expires, &signers)
        });
        let root = signed.await.map_err(std::io::Error::other)??;
        let version = self.keep_root(&tx, root.clone()).await?;
        self.edition(&tx, root, &documents, Arc::new(online)).await?;
        let rotated = Rotated { version, expires_at: expires, role: rotation.role };
        let change = Change::new("distribution.rotated", "root", version).detail(&rotated);
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        Ok(rotated)
    }

    /// The configured keys, and the new ones of the role.
    fn online(&self, config: &DistributionConfig, rotation: &Rotation) -> Result<OnlineKeys, TufError> {
        let mut online = keys::online(config)?;
        let of = match rotation.role {
            Role::Root => return Ok(online),
            Role::Timestamp => &mut online.timestamp,
            Role::Snapshot => &mut online.snapshot,
            Role::Targets => &mut online.targets,
        };
        let new = keys::open(&rotation.key_files)?;
        of.extend(new.into_iter().map(|key| Box::new(key) as Box<dyn SignKey>));
        Ok(online)
    }
}
