//! A private PostgreSQL cluster on loopback for the tests, gone when the tests are.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::project::{Project, run_command};

/// A running cluster; dropping it stops it and removes its folder.
pub struct Cluster {
    bin: PathBuf,
    dir: PathBuf,
    /// URL of its `postgres` database.
    pub url: String,
}

impl Cluster {
    /// Create and start one below the build folder.
    pub fn start(project: &Project) -> Result<Self> {
        let bin = newest_bin()?;
        let dir = std::env::temp_dir().join(format!("sysmanage-pg-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        if is_root() {
            project.run("chown", ["postgres", &dir.to_string_lossy()])?;
        }
        let data = dir.join("data");
        let mut init = as_postgres(&bin.join("initdb"));
        init.args(["-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C", "-D"])
            .arg(&data);
        run_command(init.stdout(Stdio::null()))?;
        let options = format!(
            "-c listen_addresses=127.0.0.1 -c port={port} -c fsync=off -c max_connections=200 -c unix_socket_directories={}",
            dir.display()
        );
        let mut start = as_postgres(&bin.join("pg_ctl"));
        start
            .args(["start", "-w", "-t", "60", "-s", "-o", &options, "-D"])
            .arg(&data)
            .arg("-l")
            .arg(dir.join("log"));
        run_command(start.stdout(Stdio::null()))?;
        Ok(Self { bin, dir, url: format!("postgres://postgres@127.0.0.1:{port}/postgres") })
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let mut stop = as_postgres(&self.bin.join("pg_ctl"));
        let _ = stop.args(["stop", "-m", "immediate", "-s", "-D"]).arg(self.dir.join("data")).status();
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn newest_bin() -> Result<PathBuf> {
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .context("PostgreSQL is not installed: run `cargo xtask setup`")?
        .filter_map(|e| Some(e.ok()?.path().join("bin")))
        .filter(|p| p.join("initdb").exists())
        .collect();
    versions.sort();
    match versions.pop() {
        Some(bin) => Ok(bin),
        None => bail!("no PostgreSQL server in /usr/lib/postgresql: run `cargo xtask setup`"),
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout.starts_with(b"0\n"))
}

/// PostgreSQL refuses to run as root; root runs it as `postgres`.
fn as_postgres(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program).current_dir("/");
    command
}
