//! What a fuzz target starts from: the repository's goldens, and inputs made of them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use chrono::Utc;
use license_issuer::development;
use plugin_packager::{Draft, SealedPackage};
use plugin_runtime::TARGET;

use crate::project::Project;

/// Put the seeds of `target` into its corpus, beside what earlier runs found.
pub fn write(project: &Project, target: &str, corpus: &Path) -> Result<()> {
    let put = |name: &str, content: &[u8]| fs::write(corpus.join(format!("seed-{name}")), content);
    match target {
        "manifest" => put("manifest", example(project)?.manifest_toml())?,
        "package" => {
            let package = example(project)?;
            let signatures = development::publisher_signer().sign_package(package.manifest_toml())?;
            let bytes = package.to_bytes(&signatures)?;
            put("package", &bytes)?;
            put("tar", &zstd::decode_all(&bytes[..])?)?;
        }
        "isolated_wire" => put("stream", &plugin_runtime::fuzzing::sample_stream())?,
        _ => {}
    }
    for path in files(project, target) {
        let name = path.file_name().context("a file has a name")?.to_string_lossy().into_owned();
        put(&name, &fs::read(&path)?)?;
    }
    Ok(())
}

/// Goldens and committed seeds.
fn files(project: &Project, target: &str) -> Vec<PathBuf> {
    let (folder, ending) = match target {
        "license_token" => ("licenses/tests/goldens", "jws"),
        "certificate" => ("licenses/development-keys", "cert"),
        "signature_set" => ("trust/tests/goldens", "sig"),
        "revocation_list" => ("trust/tests/goldens", "json"),
        "agent_frame" => ("agent/protocol/tests/golden/v1", "bin"),
        "sql_guard" => ("fuzz/seeds", "sql"),
        "selector" => ("fuzz/seeds", "selector"),
        _ => return Vec::new(),
    };
    let entries = fs::read_dir(project.root.join(folder)).into_iter().flatten();
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.filter(|path| path.extension().is_some_and(|e| e == ending)).collect()
}

/// The example engine's package, with a few bytes in place of its library.
fn example(project: &Project) -> Result<SealedPackage> {
    let template = fs::read_to_string(project.root.join("plugins/example/plugin.toml"))?;
    let mut draft = Draft::new(&template, Utc::now())?;
    draft.library(TARGET, b"not really a library".to_vec());
    draft.file("ui/index.js", b"export default 1;".to_vec());
    draft.file("LICENSE", b"All rights reserved.".to_vec());
    Ok(draft.seal()?)
}
