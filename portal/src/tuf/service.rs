//! Editions: made of what the database holds, and written in one transaction.

use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use distribution::{
    ADVISORIES, FLOORS, REVOCATIONS,
    publish::{Current, Edition, Lifetimes, OnlineKeys, edition, read_root},
};
use sea_orm::DatabaseTransaction;

use super::{
    TufError,
    contents::{Document, contents},
    entity::{document, metadata},
    keys,
    store::{self, ROOT},
};
use crate::{
    advisories::Advisories,
    app::Core,
    config::{Config, DistributionConfig},
    ctx::Ctx,
    licensing::Licensing,
    releases::{self, Releases},
};

/// How often one looks whether something must be signed anew. The timestamp holds for a day.
pub const ROUND: std::time::Duration = std::time::Duration::from_secs(600);
/// Days that replaced metadata stay for whoever is reading them.
const KEPT_DAYS: i64 = 14;
/// Days before the root's end from which the portal warns.
const WARN_DAYS: i64 = 60;

/// The service.
pub struct Tuf {
    pub(super) core: Arc<Core>,
    pub(super) licensing: Arc<Licensing>,
    pub(super) releases: Arc<Releases>,
    advisories: Advisories,
    keys: RwLock<Arc<OnlineKeys>>,
    /// One edition at a time, from reading what is published to writing what follows.
    pub(super) turn: tokio::sync::Mutex<()>,
}

impl Tuf {
    /// Build over the shared part; keys that cannot be opened stop the portal.
    pub fn new(core: Arc<Core>, licensing: Arc<Licensing>, releases: Arc<Releases>) -> anyhow::Result<Self> {
        let keys = keys::online(&core.config.distribution)?;
        keys::first_root(&core.config.distribution)?;
        Ok(Self {
            advisories: Advisories::new(core.clone()),
            keys: RwLock::new(Arc::new(keys)),
            turn: tokio::sync::Mutex::new(()),
            core,
            licensing,
            releases,
        })
    }

    /// Sign what is new, and what expires soon. Where nothing changed, nothing is written. Answers whether something was.
    pub async fn bring_up_to_date(&self, ctx: &Ctx) -> Result<bool, TufError> {
        ctx.require_staff()?;
        let _turn = self.turn.lock().await;
        // Before the transaction: the revocation list may have to be signed and kept, too.
        let documents = self.documents().await?;
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner).clone();
        let tx = self.core.db.begin().await?;
        store::lock(&tx).await?;
        let root = self.root(&tx).await?;
        let new = self.edition(&tx, root, &documents, keys).await?;
        tx.commit().await?;
        Ok(new)
    }

    /// The edition that follows, in the caller's transaction.
    pub(super) async fn edition(
        &self,
        tx: &DatabaseTransaction,
        root: Vec<u8>,
        documents: &[Document],
        keys: Arc<OnlineKeys>,
    ) -> Result<bool, TufError> {
        let now = self.core.clock.now();
        let contents = contents(&releases::all(tx).await?, documents)?;
        let mut current = Current::new();
        let mut kept = Vec::new();
        for role in store::roles(tx).await?.into_iter().filter(|role| role != ROOT) {
            let Some(row) = store::newest(tx, &role).await? else { continue };
            kept.push((role.clone(), row.version));
            current.insert(role, row.content);
        }
        // A key may be far away: sign off the async threads.
        let work = tokio::task::spawn_blocking(move || {
            edition(&root, &current, &contents, &keys, now, &Lifetimes::default())
        });
        let Edition { roles, files, .. } = work.await.map_err(std::io::Error::other)??;
        let new = !roles.is_empty();
        for (role, content) in roles {
            let name = files.get(&role).cloned().unwrap_or_else(|| format!("{role}.json"));
            let before = kept.iter().find(|(known, _)| *known == role).map_or(0, |(_, version)| *version);
            store::put(tx, metadata::Model { name, role, version: before + 1, content, written_at: now })
                .await?;
        }
        if new {
            for document in documents {
                let sha256 = data_encoding::HEXLOWER.encode(&document.sum());
                let (name, content) = (document.name.to_owned(), document.content.clone());
                store::put_document(tx, document::Model { sha256, name, content, written_at: now }).await?;
            }
            store::sweep(tx, &kept, now - TimeDelta::days(KEPT_DAYS)).await?;
        }
        Ok(new)
    }

    /// The vendor's documents. The revocation list is absent while nothing was revoked.
    pub(super) async fn documents(&self) -> Result<Vec<Document>, TufError> {
        let said = self.advisories.documents().await?;
        let revocations = self.licensing.revocations().await?;
        let revocations = revocations.map(|list| Document { name: REVOCATIONS, content: list.into_bytes() });
        let documents = [
            Document { name: ADVISORIES, content: said.advisories },
            Document { name: FLOORS, content: said.floors },
        ];
        Ok(documents.into_iter().chain(revocations).collect())
    }

    /// The newest root; at first that of the configuration.
    pub(super) async fn root(&self, tx: &DatabaseTransaction) -> Result<Vec<u8>, TufError> {
        if let Some(row) = store::newest(tx, ROOT).await? {
            return Ok(row.content);
        }
        let content = keys::first_root(&self.core.config.distribution)?;
        self.keep_root(tx, content.clone()).await?;
        Ok(content)
    }

    pub(super) async fn keep_root(
        &self,
        tx: &DatabaseTransaction,
        content: Vec<u8>,
    ) -> Result<u64, TufError> {
        let (number, ..) = read_root(&content)?;
        let version = i64::try_from(number).unwrap_or(i64::MAX);
        let row = metadata::Model {
            name: format!("{number}.root.json"),
            role: ROOT.to_owned(),
            version,
            content,
            written_at: self.core.clock.now(),
        };
        store::put(tx, row).await?;
        Ok(number)
    }

    /// A file of metadata by its name.
    pub(super) async fn metadata(&self, name: &str) -> Result<metadata::Model, TufError> {
        let row = store::get(self.core.db.read(), name).await?;
        row.ok_or(TufError::NotFound("metadata file"))
    }

    /// A document of the vendor by its name in a consistent snapshot: `<sha256>.<name>`.
    pub(super) async fn document(&self, file: &str) -> Result<document::Model, TufError> {
        let (sum, name) = file.split_once('.').ok_or(TufError::NotFound("target"))?;
        store::document(self.core.db.read(), sum, name).await?.ok_or(TufError::NotFound("target"))
    }

    /// Read the configuration's keys again and sign with them from now on. Where they are refused, those in use stay.
    pub async fn reload_keys(&self, ctx: &Ctx) -> Result<(), TufError> {
        ctx.require_staff()?;
        let config = self.configured().await?;
        let read = tokio::task::spawn_blocking(move || keys::online(&config)).await;
        let keys = read.map_err(std::io::Error::other)??;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        self.core.outdated.notify_one();
        Ok(())
    }

    /// The configuration of now: its file may have changed since the start.
    pub(super) async fn configured(&self) -> Result<DistributionConfig, TufError> {
        let Some(file) = self.core.config.file.clone() else {
            return Ok(self.core.config.distribution.clone());
        };
        let read = tokio::task::spawn_blocking(move || Config::load(Some(&file))).await;
        let config = read.map_err(std::io::Error::other)?;
        Ok(config.map_err(|e| TufError::Keys(e.to_string()))?.distribution)
    }

    /// What is wrong with the root, or will be soon.
    pub async fn warning(&self) -> Result<Option<String>, TufError> {
        let Some(row) = store::newest(self.core.db.read(), ROOT).await? else { return Ok(None) };
        let (version, expires, _) = read_root(&row.content)?;
        let left: DateTime<Utc> = self.core.clock.now() + TimeDelta::days(WARN_DAYS);
        Ok((expires < left).then(|| {
            format!(
                "root {version} expires on {}: run `sysmanage-portal tuf rotate root`",
                expires.format("%Y-%m-%d")
            )
        }))
    }
}
