//! What is given out: binaries, Debian packages with units, man pages and completions, and the signed agent release.

mod deb;
mod release;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{console, engine::Key, project::Project};

const AGENT_MAX_BYTES: u64 = 8 << 20;
/// Shells that completions are written for, and where Debian looks for them.
const SHELLS: [(&str, &str); 3] = [
    ("bash", "usr/share/bash-completion/completions/{name}"),
    ("zsh", "usr/share/zsh/vendor-completions/_{name}"),
    ("fish", "usr/share/fish/vendor_completions.d/{name}.fish"),
];

/// How to build.
#[derive(clap::Args)]
#[group(skip)]
pub struct Options {
    /// Take debug builds: to try the packages, not to give them out.
    #[arg(long)]
    debug: bool,
    #[command(flatten)]
    key: Key,
}

/// A program to package.
struct Program {
    name: &'static str,
    binary: PathBuf,
    /// Prints completions and writes manual pages.
    manuals: PathBuf,
}

/// Build and package.
pub fn run(project: &Project, options: &Options) -> Result<()> {
    console::build(project)?;
    let out = project.root.join("dist/out");
    fs::create_dir_all(&out)?;
    for program in build(project, options.debug)? {
        let size = fs::copy(&program.binary, out.join(program.name))?;
        println!("{}: {:.1} MiB", program.name, size as f64 / f64::from(1 << 20));
        if program.name == "sysmanage-agent" && !options.debug && size > AGENT_MAX_BYTES {
            bail!("the agent has {size} bytes; its budget is {AGENT_MAX_BYTES}");
        }
        println!("{}", package(project, &program, &out)?.display());
        if program.name == "sysmanage-agent" {
            match release::write(&program.binary, &out, &options.key, options.debug)? {
                Some(file) => println!("{}", file.display()),
                None => println!("no agent release: give --key and --cert to sign one"),
            }
        }
    }
    Ok(())
}

fn build(project: &Project, debug: bool) -> Result<[Program; 2]> {
    let (host, agent) = if debug { ("dev", "dev") } else { ("release", "agent") };
    project.run("cargo", ["build", "--locked", "--profile", host, "-p", "sysmanage"])?;
    project.run("cargo", ["build", "--locked", "--profile", agent, "-p", "sysmanage-agent"])?;
    // The agent's are made by a program of their own: machines need not carry them.
    project.run("cargo", ["build", "--locked", "-p", "sysmanage-agent", "--example", "manuals"])?;
    let binary = |profile: &str, name| {
        let folder = if profile == "dev" { "debug" } else { profile };
        project.target().join(folder).join(name)
    };
    let (host, agent) = (binary(host, "sysmanage"), binary(agent, "sysmanage-agent"));
    Ok([
        Program { name: "sysmanage", manuals: host.clone(), binary: host },
        Program { name: "sysmanage-agent", manuals: binary("dev", "examples/manuals"), binary: agent },
    ])
}

fn package(project: &Project, program: &Program, out: &Path) -> Result<PathBuf> {
    let tree = out.join(format!("{}.tree", program.name));
    if tree.exists() {
        fs::remove_dir_all(&tree)?;
    }
    let name = program.name;
    deb::install(&program.binary, &tree.join("usr/bin").join(name), 0o755)?;
    let unit = format!("{name}.service");
    let units = project.root.join("dist/systemd");
    deb::install(&units.join(&unit), &tree.join("lib/systemd/system").join(&unit), 0o644)?;
    for (shell, place) in SHELLS {
        let text = output(Command::new(&program.manuals).args(["completions", shell]))?;
        deb::write(&tree.join(place.replace("{name}", name)), &text, 0o644)?;
    }
    let pages = tree.join("usr/share/man/man1");
    fs::create_dir_all(&pages)?;
    output(Command::new(&program.manuals).arg("man").arg(&pages))?;
    for page in fs::read_dir(&pages)? {
        output(Command::new("gzip").args(["-9", "-n"]).arg(page?.path()))?;
    }
    let doc = tree.join("usr/share/doc").join(name);
    deb::install(&project.root.join("LICENSE"), &doc.join("copyright"), 0o644)?;
    let version = output(Command::new(&program.binary).arg("--version"))?;
    let version = version.split_whitespace().last().context("a version")?.to_owned();
    let package = deb::build(&tree, &project.root.join("dist/deb").join(name), name, &version, out)?;
    fs::remove_dir_all(&tree)?;
    Ok(package)
}

/// Standard output of a command that must succeed.
fn output(command: &mut Command) -> Result<String> {
    let text = format!("{command:?}");
    let out = command.output().with_context(|| format!("cannot start {text}"))?;
    if !out.status.success() {
        bail!("{text} failed: {}", String::from_utf8_lossy(&out.stderr));
    }
    Ok(String::from_utf8(out.stdout)?)
}
