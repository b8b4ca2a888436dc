//! `engine verify`: what a host would say of a package.

use std::path::Path;

use anyhow::{Result, anyhow};
use chrono::Utc;
use plugin_runtime::{Package, Policy, Side};
use trust::TrustStore;

/// Verify with the built-in roots and print what is in it.
pub fn run(file: &Path) -> Result<()> {
    let store = TrustStore::built_in();
    let package = Package::verify_file(file, &Policy::new(&store, Utc::now(), Side::Tool))
        .map_err(|refusal| anyhow!("refused ({}): {refusal}", refusal.code()))?;
    let m = package.manifest();
    println!("{} {} by {} ({}), built {}", m.id, m.version, m.publisher, m.tier, m.built_at);
    println!("targets: {}", m.targets.join(", "));
    println!("asks for: {}", m.capabilities.uses.iter().map(|c| c.name()).collect::<Vec<_>>().join(", "));
    println!("commands: {}", m.commands.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", "));
    for f in &m.files {
        println!("{:>10}  {}  {}", f.size, f.sha256, f.path);
    }
    Ok(())
}
