//! Installs what the tests need, when it is not there: a fresh Debian machine passes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::project::{Project, run_command};

/// Debian packages, each with a file that tells it is there.
const PACKAGES: &[(&str, &str)] = &[
    ("postgresql", "/usr/lib/postgresql"),
    ("python3-venv", "/usr/share/doc/python3-venv"),
    ("ksh", "/bin/ksh"),
    ("zsh", "/bin/zsh"),
    ("faketime", "/usr/bin/faketime"),
    ("iproute2", "/usr/bin/ss"),
    ("hostname", "/bin/hostname"),
    ("chromium", "/usr/bin/chromium"),
    ("fonts-dejavu-core", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"),
    ("openssl", "/usr/bin/openssl"),
    ("softhsm2", "/usr/bin/softhsm2-util"),
    ("nftables", "/usr/sbin/nft"),
    ("iptables", "/usr/sbin/iptables"),
    ("ufw", "/usr/sbin/ufw"),
    ("podman", "/usr/bin/podman"),
    ("pacman-package-manager", "/usr/bin/pacman"),
    ("rpm", "/usr/bin/rpmbuild"),
    ("db5.3-util", "/usr/bin/db5.3_load"),
    ("sqlite3", "/usr/bin/sqlite3"),
];

/// python-tuf, which the TUF client is tested against, at the version that the tests were written for.
const PYTHON_TUF: [&str; 2] = ["tuf==7.0.1", "securesystemslib[crypto]==1.6.0"];

/// An environment of Python's own with python-tuf in it, unless it is there.
fn python_tuf(project: &Project) -> Result<()> {
    let folder = project.root.join("target/tuf-python");
    let done = folder.join("done");
    if done.exists() {
        return Ok(());
    }
    println!("setup: installing python-tuf");
    run_command(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let mut pip = Command::new(folder.join("bin/pip"));
    run_command(pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(PYTHON_TUF))?;
    Ok(std::fs::write(done, "")?)
}

/// The OpenID provider that sign-in is tested with.
const PROVIDER: &str = "host/tests/oidc";

/// Packages of npm as the folder's lock file has them, unless they are there.
fn npm(project: &Project, folder: &str) -> Result<()> {
    let folder = project.root.join(folder);
    if folder.join("node_modules/.package-lock.json").exists() {
        return Ok(());
    }
    let mut command = Command::new("npm");
    command.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(folder);
    run_command(&mut command)
}

/// Install what is missing.
pub fn run(project: &Project) -> Result<()> {
    let missing: Vec<&str> =
        PACKAGES.iter().filter(|(_, f)| !Path::new(f).exists()).map(|(p, _)| *p).collect();
    if !missing.is_empty() {
        apt(&missing)?;
    }
    npm(project, PROVIDER)?;
    python_tuf(project)?;
    if Command::new("cargo-deny").arg("--version").output().is_err() {
        println!("setup: installing cargo-deny");
        project.run("cargo", ["install", "cargo-deny", "--locked", "--quiet"])?;
    }
    Ok(())
}

/// nginx to compare with: the system's, or Debian's package unpacked and not installed, which would start a server.
pub fn nginx(project: &Project) -> Result<PathBuf> {
    let system = PathBuf::from("/usr/sbin/nginx");
    let folder = project.target().join("tools/nginx");
    let unpacked = folder.join("usr/sbin/nginx");
    if system.exists() || unpacked.exists() {
        return Ok(if system.exists() { system } else { unpacked });
    }
    fs::create_dir_all(&folder)?;
    println!("setup: unpacking nginx");
    run_command(Command::new("apt-get").args(["-qq", "download", "nginx"]).current_dir(&folder))?;
    let package = fs::read_dir(&folder)?
        .flatten()
        .map(|entry| entry.path())
        .find(|p| p.extension().is_some_and(|e| e == "deb"));
    let package = package.context("apt-get brought no package of nginx")?;
    run_command(Command::new("dpkg-deb").arg("-x").arg(package).arg(&folder))?;
    Ok(unpacked)
}

fn apt(packages: &[&str]) -> Result<()> {
    if !Path::new("/usr/bin/apt-get").exists() {
        bail!("install these by hand, there is no apt-get here: {}", packages.join(" "));
    }
    println!("setup: installing {}", packages.join(" "));
    let sudo = !Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout.starts_with(b"0\n"));
    let apt_get = |args: &[&str]| {
        let mut command = if sudo { Command::new("sudo") } else { Command::new("env") };
        command
            .args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y", "-o", "Dpkg::Use-Pty=0"])
            .args(args);
        run_command(&mut command)
    };
    apt_get(&["update"])?;
    apt_get(&[&["install", "--no-install-recommends"], packages].concat())
}
