//! A portal on loopback with the engines that were packed.

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

use crate::{bins, process::Process};

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// No mail is sent here: the test payment stands in for a card.
const CONFIG: &str = "[payments]\ntest = true\n";

/// A running portal.
pub struct Portal {
    /// Its process.
    pub process: Process,
    /// Where it listens, plain HTTP.
    pub url: String,
}

impl Portal {
    /// Publish these engines, unless they are, and serve them.
    ///
    /// # Errors
    /// When it does not start, or refuses a package.
    pub async fn start(data: &Path, port: u16, engines: &[&str]) -> Result<Self> {
        fs::create_dir_all(data)?;
        let config = data.join("portal.toml");
        fs::write(&config, CONFIG)?;
        let command = || -> Result<Command> {
            let mut command = Command::new(bins::binary("sysmanage-portal")?);
            command.arg("--config").arg(&config).arg("--data-dir").arg(data);
            Ok(command)
        };
        let releases = command()?.arg("releases").output()?;
        ensure!(releases.status.success(), "{}", String::from_utf8_lossy(&releases.stderr));
        let releases: Vec<serde_json::Value> = serde_json::from_slice(&releases.stdout)?;
        for engine in engines {
            if releases.iter().all(|release| release["engine"] != **engine) {
                let published = command()?.arg("publish").arg(bins::package(engine)?).output()?;
                let said = String::from_utf8_lossy(&published.stderr);
                ensure!(published.status.success(), "{engine} is not published: {said}");
            }
        }
        let log = data.join("portal.log");
        let mut process = Process::start(command()?.args(["serve", "--port", &port.to_string()]), &log)?;
        let url = format!("http://127.0.0.1:{port}");
        let begun = Instant::now();
        while !reqwest::get(format!("{url}/readyz")).await.is_ok_and(|answer| answer.status().is_success()) {
            if process.ended()?.is_some() || begun.elapsed() > PATIENCE {
                bail!("the portal does not serve:\n{}", process.tail(20));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(Self { process, url })
    }

    /// Make somebody who has signed up one of the vendor's staff.
    ///
    /// # Errors
    /// When nobody has this address.
    pub fn staff(data: &Path, email: &str) -> Result<()> {
        let mut command = Command::new(bins::binary("sysmanage-portal")?);
        command.arg("--config").arg(data.join("portal.toml")).arg("--data-dir").arg(data);
        let done = command.args(["staff", email]).output().context("the portal's program")?;
        ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        Ok(())
    }
}
