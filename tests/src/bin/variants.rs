//! Licences and packages that differ from those of the demo: what the browser tests install while they look.
#![allow(clippy::print_stdout)] // The token goes to the test that asked for it.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, ensure};
use chrono::{Duration, Utc};
use clap::Parser;
use data_encoding::BASE64URL_NOPAD;
use e2e::{packages, tokens};
use licenses::Claims;
use plugin_api::Capability;
use plugin_packager::{Draft, SealedPackage};

/// A variant of what the demo has.
#[derive(Parser)]
enum Options {
    /// Print a later edition of a licence, with another end.
    License {
        /// The licence's token.
        of: PathBuf,
        /// Hours until it ends; negative when it has ended.
        #[arg(long, allow_hyphen_values = true)]
        ends_in: i64,
        /// Days of grace.
        #[arg(long, default_value_t = 14)]
        grace: u16,
    },
    /// Write a package one patch version up, which asks for one capability more and says something else on its pages.
    Upgrade {
        /// The package.
        of: PathBuf,
        /// Where to write it.
        #[arg(long)]
        out: PathBuf,
        /// Text of its pages.
        #[arg(long)]
        old: String,
        /// What stands there instead.
        #[arg(long)]
        new: String,
    },
}

fn main() -> Result<()> {
    match Options::parse() {
        Options::License { of, ends_in, grace } => {
            let claims = claims(fs::read_to_string(of)?.trim())?;
            let (now, end) = (Utc::now(), Utc::now() + Duration::hours(ends_in));
            let nbf = end.min(now) - Duration::days(30);
            let edition = Claims { iat: now, nbf, exp: Some(end), grace_days: grace, ..claims };
            print!("{}", tokens::sign(&edition)?);
            Ok(())
        }
        Options::Upgrade { of, out, old, new } => {
            let package = SealedPackage::read(fs::File::open(of)?)?;
            let next = upgraded(&packages::bumped(&package)?, &old, &new)?;
            Ok(fs::write(out, packages::signed(&next)?)?)
        }
    }
}

fn claims(token: &str) -> Result<Claims> {
    let body = token.split('.').nth(1).context("a token has three parts")?;
    Ok(serde_json::from_slice(&BASE64URL_NOPAD.decode(body.as_bytes())?)?)
}

fn upgraded(package: &SealedPackage, old: &str, new: &str) -> Result<SealedPackage> {
    let mut draft = Draft::new(std::str::from_utf8(package.manifest_toml())?, Utc::now())?;
    draft.manifest_mut().capabilities.uses.push(Capability::Notify);
    let mut said = false;
    for (path, content) in package.files() {
        match path.strip_prefix("lib/").and_then(|p| p.split('/').next()) {
            Some(target) => draft.library(target, content.to_vec()),
            None if path.starts_with("ui/") && path.ends_with(".js") => {
                let text = std::str::from_utf8(content)?;
                said |= text.contains(old);
                draft.file(path, text.replace(old, new).into_bytes());
            }
            None => draft.file(path, content.to_vec()),
        }
    }
    ensure!(said, "no page says `{old}`");
    Ok(draft.seal()?)
}
