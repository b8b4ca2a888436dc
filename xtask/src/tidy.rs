//! `cargo xtask tidy`: house rules that a compiler does not know.

mod dependencies;
mod engines;
mod files;
mod names;
mod sizes;
mod text;

use anyhow::{Result, bail};

use crate::project::Project;

/// A broken rule: where, and what to do.
pub struct Finding {
    /// File or crate.
    pub place: String,
    /// What is wrong and what to do.
    pub advice: String,
}

impl Finding {
    fn new(place: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { place: place.into(), advice: advice.into() }
    }
}

/// Run every check; fails with all findings.
pub fn run(project: &Project) -> Result<()> {
    let sources = files::read(project)?;
    let mut findings = dependencies::check(project)?;
    findings.extend(names::check(&sources));
    findings.extend(sizes::check(project, &sources)?);
    findings.extend(text::check(&sources));
    findings.extend(engines::check(project)?);
    for f in &findings {
        eprintln!("{}: {}", f.place, f.advice);
    }
    if !findings.is_empty() {
        bail!("tidy: {} finding(s)", findings.len());
    }
    println!("tidy: {} files in order", sources.len());
    Ok(())
}
