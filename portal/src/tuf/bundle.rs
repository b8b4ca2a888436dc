//! Air-gap bundles: the metadata of now, the engines that an organisation may have, its licences, the vendor's documents.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use distribution::bundle::{self, About};
use uuid::Uuid;

use super::{Tuf, TufError, contents::Document, store};
use crate::{
    audit::Change,
    ctx::{Ctx, Permission},
    releases::Release,
};

/// What goes into a bundle.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Engines; all that the organisation may have when empty.
    pub engines: Vec<String>,
    /// Rust target triples; all when empty.
    pub targets: Vec<String>,
}

/// Most bytes of engines in one bundle.
const MAX_BYTES: u64 = 8 << 30;

impl Tuf {
    /// Write a bundle to `out`. Of each engine it holds the newest version of each channel that a licence grants.
    pub async fn bundle(
        &self,
        ctx: &Ctx,
        organisation: Uuid,
        selection: &Selection,
        out: File,
    ) -> Result<(), TufError> {
        if !ctx.staff {
            ctx.require(organisation, Permission::Download)?;
            ctx.require(organisation, Permission::LicensesRead)?;
        }
        let licenses = self.licensing.of(organisation).await?;
        let mut tokens = Vec::new();
        for license in licenses.iter().filter(|license| license.revoked.is_none()) {
            tokens.extend(license.editions.first().map(|edition| edition.token.clone()));
        }
        let releases = self.releases.granted(organisation).await?;
        let releases = chosen(releases, selection)?;
        let name = self.releases.organisation_name(organisation).await?;
        let about = About::new(name, self.core.clock.now());
        let (metadata, documents) = self.distributed().await?;
        let mut packages: Vec<(plugin_api::manifest::Sha256Hex, u64, std::path::PathBuf)> = Vec::new();
        for file in releases.iter().flat_map(|release| &release.files) {
            let wanted = selection.targets.is_empty() || selection.targets.contains(&file.target);
            if wanted && !packages.iter().any(|(sum, ..)| *sum == file.sha256) {
                packages.push((file.sha256, file.size, self.releases.package(&file.sha256)));
            }
        }
        if packages.iter().map(|(_, size, _)| size).sum::<u64>() > MAX_BYTES {
            let why = "These engines are more than 8 GiB. Choose some with `engines` and `targets`.";
            return Err(TufError::Invalid("engines", why.into()));
        }
        let count = packages.len();
        let work = tokio::task::spawn_blocking(move || {
            let mut writer = bundle::write(BufWriter::new(out), &about, &tokens)?;
            for (name, bytes) in &metadata {
                writer.metadata(name, bytes)?;
            }
            for Document { content, .. } in &documents {
                let sum = ring::digest::digest(&ring::digest::SHA256, content);
                let sum = data_encoding::HEXLOWER.encode(sum.as_ref());
                writer.target(&sum, content.len() as u64, content.as_slice())?;
            }
            for (sum, size, path) in &packages {
                writer.target(&sum.to_string(), *size, open(path)?)?;
            }
            let mut out = writer.finish()?;
            out.flush()?;
            out.get_ref().sync_all()
        });
        work.await.map_err(std::io::Error::other)??;
        let detail = serde_json::json!({"packages": count, "engines": selection.engines});
        let change = Change::new("bundle.made", "bundle", organisation).of(organisation).detail(detail);
        Ok(self.core.audit.record(ctx, change).await?)
    }

    /// Every root, the metadata of now, and the documents that they list: all of one moment.
    async fn distributed(&self) -> Result<(Vec<(String, Vec<u8>)>, Vec<Document>), TufError> {
        // The write transaction is the moment: no edition is written meanwhile.
        let tx = self.core.db.begin().await?;
        store::lock(&tx).await?;
        let mut files: Vec<(String, Vec<u8>)> =
            store::roots(&tx).await?.into_iter().map(|row| (row.name, row.content)).collect();
        for role in store::roles(&tx).await?.into_iter().filter(|role| role != store::ROOT) {
            files.extend(store::newest(&tx, &role).await?.map(|row| (row.name, row.content)));
        }
        let mut documents = Vec::new();
        for name in [distribution::ADVISORIES, distribution::FLOORS, distribution::REVOCATIONS] {
            let listed = files.iter().find(|(file, _)| file.ends_with(".targets.json"));
            let Some(sum) = listed.and_then(|(_, bytes)| listed_sum(bytes, name)) else { continue };
            let row = store::document(&tx, &sum, name).await?.ok_or(TufError::NotFound("document"))?;
            documents.push(Document { name, content: row.content });
        }
        tx.commit().await?;
        if !files.iter().any(|(name, _)| name == "timestamp.json") {
            return Err(TufError::NotFound("edition yet: start the portal, or publish an engine"));
        }
        Ok((files, documents))
    }
}

/// The digest that the vendor's targets list for a name.
fn listed_sum(targets: &[u8], name: &str) -> Option<String> {
    let targets: serde_json::Value = serde_json::from_slice(targets).ok()?;
    targets["signed"]["targets"][name]["hashes"]["sha256"].as_str().map(str::to_owned)
}

fn open(path: &Path) -> std::io::Result<File> {
    File::open(path)
}

/// The newest version of each channel of each wanted engine.
fn chosen(mut releases: Vec<Release>, selection: &Selection) -> Result<Vec<Release>, TufError> {
    releases.retain(|release| selection.engines.is_empty() || selection.engines.contains(&release.engine));
    if let Some(missing) = selection.engines.iter().find(|id| !releases.iter().any(|r| r.engine == **id)) {
        let why = format!("No licence of this organisation grants a version of `{missing}`.");
        return Err(TufError::Invalid("engines", why));
    }
    releases.sort_by(|a, b| b.version.cmp(&a.version));
    let mut seen = Vec::new();
    releases.retain(|release| {
        let key = (release.engine.clone(), release.channel);
        let new = !seen.contains(&key);
        seen.push(key);
        new
    });
    Ok(releases)
}
