//! A portal on loopback with the engines that were packed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

use crate::{bins, process::Process};

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);
const CONFIG_FILE: &str = "portal.toml";
/// The test payment stands in for a card, and staff sign in without an authenticator.
const CONFIG: &str = "[auth]\nstaff_second_factor = false\n\n[payments]\ntest = true\n";

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
        let releases = match data.join(CONFIG_FILE).exists() {
            true => done(command(data)?.arg("releases")).context("releases are not told")?,
            false => b"[]".to_vec(),
        };
        let releases: Vec<serde_json::Value> = serde_json::from_slice(&releases)?;
        let new =
            engines.iter().filter(|engine| releases.iter().all(|release| release["engine"] != ***engine));
        let packages = new.map(|engine| bins::package(engine)).collect::<Result<Vec<_>>>()?;
        Self::start_with(data, port, &packages, CONFIG).await
    }

    /// Publish these packages and serve, configured like this.
    ///
    /// # Errors
    /// When it does not start, or refuses a package.
    pub async fn start_with(data: &Path, port: u16, packages: &[PathBuf], config: &str) -> Result<Self> {
        fs::create_dir_all(data)?;
        let reports: Vec<PathBuf> = packages.iter().map(|p| p.with_extension("conformance.json")).collect();
        // Packages of the tests have no reports: those of the demo do.
        let reported = reports.iter().all(|report| report.is_file());
        let rules = if reported { "" } else { "\n[releases]\nneeds_report = false\n" };
        fs::write(data.join(CONFIG_FILE), format!("{config}{rules}"))?;
        for (package, report) in packages.iter().zip(&reports) {
            let mut publish = command(data)?;
            publish.arg("publish").arg(package);
            if report.is_file() {
                publish.arg("--report").arg(report);
            }
            done(&mut publish).with_context(|| format!("{} is not published", package.display()))?;
        }
        let log = data.join("portal.log");
        let mut process = Process::start(command(data)?.args(["serve", "--port", &port.to_string()]), &log)?;
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
        done(command(data)?.args(["staff", email])).map(drop)
    }
}

/// The portal's program, on this data.
fn command(data: &Path) -> Result<Command> {
    let mut command = Command::new(bins::binary("sysmanage-portal")?);
    command.arg("--config").arg(data.join(CONFIG_FILE)).arg("--data-dir").arg(data);
    Ok(command)
}

/// Run it to its end; what it printed.
fn done(command: &mut Command) -> Result<Vec<u8>> {
    let output = command.output().context("the portal's program")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(output.stdout)
}
