//! The example engine's package, as large as wanted.

use anyhow::Result;
use chrono::Utc;
use plugin_api::manifest::Manifest;
use plugin_packager::Draft;
use plugin_runtime::TARGET;
use ring::rand::{SecureRandom, SystemRandom};

use crate::engine;

/// The package with a file of random bytes that fills it up to `size`, its manifest changed, signed anew.
pub fn package(size: usize, change: impl FnOnce(&mut Manifest)) -> Result<Vec<u8>> {
    let package = e2e::packages::read(engine::ID)?;
    let plain = std::fs::metadata(e2e::bins::package(engine::ID)?)?.len();
    let mut draft = Draft::new(std::str::from_utf8(package.manifest_toml())?, Utc::now())?;
    change(draft.manifest_mut());
    let library = package.manifest().library_path(TARGET);
    for (path, content) in package.files() {
        if path == library {
            draft.library(TARGET, content.to_vec());
        } else {
            draft.file(path, content.to_vec());
        }
    }
    let mut padding = vec![0; size.saturating_sub(usize::try_from(plain)?)];
    SystemRandom::new()
        .fill(&mut padding)
        .map_err(|_| anyhow::anyhow!("the system gives no random bytes"))?;
    draft.file("ui/padding.bin", padding);
    e2e::packages::signed(&draft.seal()?)
}
