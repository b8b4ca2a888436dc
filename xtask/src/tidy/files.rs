//! Reads the files git knows, so that build output and ignored files stay out.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::project::Project;

/// A tracked or new file.
pub struct Source {
    /// Path below the project's root, `/`-separated.
    pub path: String,
    /// Content; empty when it is not text.
    pub text: String,
}

impl Source {
    /// Whether it is Rust.
    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }
}

/// Every file that is tracked, or new and not ignored.
pub fn read(project: &Project) -> Result<Vec<Source>> {
    let out = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(&project.root)
        .output()
        .context("git lists the files")?;
    ensure!(out.status.success(), "git ls-files failed");
    let list = String::from_utf8(out.stdout)?;
    Ok(list
        .lines()
        .filter_map(|path| {
            let bytes = std::fs::read(project.root.join(path)).ok()?;
            Some(Source { path: path.to_owned(), text: String::from_utf8(bytes).unwrap_or_default() })
        })
        .collect())
}
