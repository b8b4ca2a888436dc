//! `cargo xtask passwords FILE...`: the list of common passwords, as four bytes of a hash each.

use std::{collections::BTreeSet, fs, path::PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use ring::digest::{SHA256, digest};

use crate::project::Project;

const TARGET: &str = "passwords/src/common-passwords.bin";

/// Lists to take, one password a line.
#[derive(Args)]
pub struct Options {
    /// Files.
    #[arg(required = true)]
    lists: Vec<PathBuf>,
}

pub fn run(project: &Project, options: &Options) -> Result<()> {
    let mut hashes = BTreeSet::new();
    for list in &options.lists {
        let text = fs::read_to_string(list).with_context(|| format!("cannot read {}", list.display()))?;
        for password in text.lines().map(|l| l.trim_end().to_lowercase()).filter(|p| p.chars().count() >= 4) {
            let hash = digest(&SHA256, password.as_bytes());
            hashes.insert(*hash.as_ref().first_chunk::<4>().context("a short hash")?);
        }
    }
    let bytes: Vec<u8> = hashes.iter().flatten().copied().collect();
    fs::write(project.root.join(TARGET), &bytes)?;
    println!("passwords: {} in {TARGET}, {} bytes", hashes.len(), bytes.len());
    Ok(())
}
