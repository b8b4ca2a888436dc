//! PostgreSQL's own tools, with the password in the environment and not on the command line.

use std::{path::Path, process::Command};

use anyhow::{Context, bail};

/// Write a dump of the database at `url`.
pub(super) fn dump(url: &str, to: &Path) -> anyhow::Result<()> {
    let mut command = tool("pg_dump", url);
    command.arg("--format=custom").arg("--no-owner").arg("--file").arg(to);
    run(command, "pg_dump")
}

/// Bring a dump into the database at `url`, over what is there.
pub(super) fn load(url: &str, from: &Path) -> anyhow::Result<()> {
    let mut command = tool("pg_restore", url);
    command
        .args(["--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error"])
        .arg(from);
    run(command, "pg_restore")
}

fn tool(name: &str, url: &str) -> Command {
    let (url, password) = split_password(url);
    let mut command = Command::new(name);
    command.arg("--dbname").arg(url);
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
    }
    command
}

fn run(mut command: Command, name: &str) -> anyhow::Result<()> {
    let output = command.output().with_context(|| {
        format!("{name} cannot be run; install PostgreSQL's client tools, of the server's version or newer")
    })?;
    if !output.status.success() {
        bail!("{name} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// The URL without its password, and the password.
fn split_password(url: &str) -> (String, Option<String>) {
    let parts = url.split_once("://").and_then(|(scheme, rest)| {
        let (user, host) = rest.split_once('@')?;
        let (name, password) = user.split_once(':')?;
        Some((format!("{scheme}://{name}@{host}"), decoded(password)))
    });
    match parts {
        Some((url, password)) => (url, Some(password)),
        None => (url.into(), None),
    }
}

/// Percent-decoded.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut i) = (Vec::new(), 0);
    while i < bytes.len() {
        let hex = bytes.get(i + 1..i + 3).and_then(|h| std::str::from_utf8(h).ok());
        match (bytes[i], hex.and_then(|h| u8::from_str_radix(h, 16).ok())) {
            (b'%', Some(byte)) => {
                out.push(byte);
                i += 3;
            }
            (byte, _) => {
                out.push(byte);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_leaves_the_url() {
        let split = split_password("postgres://me:p%40ss@db:5432/fleet");
        assert_eq!(split, ("postgres://me@db:5432/fleet".into(), Some("p@ss".into())));
        assert_eq!(split_password("postgres://db/fleet"), ("postgres://db/fleet".into(), None));
    }
}
