//! Pictures of an engine: kept by digest, shown on its page.

use std::path::Path;

use chrono::{DateTime, Utc};
use plugin_api::manifest::Sha256Hex;
use serde::Serialize;

use super::{
    ReleaseError, Releases,
    entity::screenshot,
    picture::{self, Kind},
    store,
};
use crate::{audit::Change, ctx::Ctx};

/// Most pictures of an engine.
const MAX_OF_ENGINE: usize = 8;
/// Longest caption, in characters.
const MAX_CAPTION: usize = 120;

/// A picture of an engine.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Screenshot {
    /// Engine.
    pub engine: String,
    /// Digest; its address is `/images/{sha256}`.
    pub sha256: String,
    /// Media type.
    pub media_type: String,
    /// What it shows.
    pub caption: String,
    /// Pixels.
    pub width: i32,
    /// Pixels.
    pub height: i32,
    /// When it was added.
    pub added_at: DateTime<Utc>,
}

impl From<screenshot::Model> for Screenshot {
    fn from(row: screenshot::Model) -> Self {
        Self {
            engine: row.engine,
            sha256: row.sha256,
            media_type: row.kind,
            caption: row.caption,
            width: row.width,
            height: row.height,
            added_at: row.added_at,
        }
    }
}

impl Releases {
    /// Pictures of an engine, in the order in which they were added.
    pub async fn screenshots(&self, engine: &str) -> Result<Vec<Screenshot>, ReleaseError> {
        let rows = store::screenshots(self.core.db.read(), Some(engine)).await?;
        Ok(rows.into_iter().map(Screenshot::from).collect())
    }

    /// Pictures of all engines.
    pub async fn all_screenshots(&self) -> Result<Vec<Screenshot>, ReleaseError> {
        let rows = store::screenshots(self.core.db.read(), None).await?;
        Ok(rows.into_iter().map(Screenshot::from).collect())
    }

    /// Add a picture from a file; its name, without the ending, is the caption where none is given.
    pub async fn add_screenshot_file(
        &self,
        ctx: &Ctx,
        engine: &str,
        file: &Path,
    ) -> Result<Screenshot, ReleaseError> {
        ctx.require_staff()?;
        let size = tokio::fs::metadata(file).await.map_err(ReleaseError::Storage)?.len();
        if size > picture::MAX_BYTES as u64 {
            let why =
                format!("{} has {size} bytes; a picture has at most {}.", file.display(), picture::MAX_BYTES);
            return Err(ReleaseError::Invalid("screenshot", why));
        }
        let bytes = tokio::fs::read(file).await.map_err(ReleaseError::Storage)?;
        let stem = file.file_stem().map(|stem| stem.to_string_lossy().replace(['-', '_'], " "));
        self.add_screenshot(ctx, engine, &stem.unwrap_or_default(), bytes).await
    }

    /// Add a picture. The same one again changes its caption.
    pub async fn add_screenshot(
        &self,
        ctx: &Ctx,
        engine: &str,
        caption: &str,
        bytes: Vec<u8>,
    ) -> Result<Screenshot, ReleaseError> {
        ctx.require_staff()?;
        let caption = caption.trim();
        if caption.chars().count() > MAX_CAPTION {
            let why = format!("A caption has at most {MAX_CAPTION} characters.");
            return Err(ReleaseError::Invalid("caption", why));
        }
        let picture = picture::look(&bytes).map_err(|why| ReleaseError::Invalid("screenshot", why))?;
        let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        let images = self.images.clone();
        let kept = tokio::task::spawn_blocking(move || images.keep(&bytes)).await;
        let sha256 = kept.map_err(std::io::Error::other).flatten().map_err(ReleaseError::Storage)?;
        let row = screenshot::Model {
            engine: engine.to_owned(),
            sha256: sha256.to_string(),
            kind: picture.kind.media_type().to_owned(),
            caption: caption.to_owned(),
            width: i32::try_from(picture.width).unwrap_or(i32::MAX),
            height: i32::try_from(picture.height).unwrap_or(i32::MAX),
            size,
            added_at: self.core.clock.now(),
        };
        let tx = self.core.db.begin().await?;
        if !super::is_published(&tx, engine).await? {
            return Err(ReleaseError::NotFound("engine"));
        }
        let known = store::screenshots(&tx, Some(engine)).await?;
        if known.len() >= MAX_OF_ENGINE && known.iter().all(|other| other.sha256 != row.sha256) {
            let why = format!("An engine has at most {MAX_OF_ENGINE} pictures. Remove one first.");
            return Err(ReleaseError::Invalid("screenshot", why));
        }
        store::put_screenshot(&tx, row.clone()).await?;
        let change = Change::new("screenshot.added", "engine", engine).detail(&row.sha256);
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        Ok(row.into())
    }

    /// Take a picture away.
    pub async fn remove_screenshot(&self, ctx: &Ctx, engine: &str, sha256: &str) -> Result<(), ReleaseError> {
        ctx.require_staff()?;
        let tx = self.core.db.begin().await?;
        if !store::remove_screenshot(&tx, engine, sha256).await? {
            return Err(ReleaseError::NotFound("picture of this engine"));
        }
        let change = Change::new("screenshot.removed", "engine", engine).detail(sha256);
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The bytes of a picture that an engine shows, with its media type.
    pub async fn image(&self, sha256: &str) -> Result<(&'static str, Vec<u8>), ReleaseError> {
        let digest: Sha256Hex = sha256.parse().map_err(|_| ReleaseError::NotFound("picture"))?;
        let row = store::screenshot_of_digest(self.core.db.read(), sha256).await?;
        let row = row.ok_or(ReleaseError::NotFound("picture"))?;
        let kinds = [Kind::Png, Kind::WebP].map(Kind::media_type);
        let kind = kinds.into_iter().find(|kind| *kind == row.kind);
        let bytes = tokio::fs::read(self.images.path(&digest)).await.map_err(ReleaseError::Storage)?;
        Ok((kind.ok_or(ReleaseError::NotFound("picture"))?, bytes))
    }
}
