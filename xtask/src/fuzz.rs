//! `cargo xtask fuzz`: the fuzz targets, each for some seconds, from the goldens and seeds of the repository.

mod seeds;

use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::project::{Project, run_command};

/// Targets in `fuzz/`; the last needs the host's library, which takes longest to build.
const TARGETS: &[&str] = &[
    "manifest",
    "package",
    "package_entries",
    "license_token",
    "certificate",
    "signature_set",
    "revocation_list",
    "agent_frame",
    "isolated_wire",
    "sql_guard",
    "selector",
];

/// What to run, and for how long.
#[derive(clap::Args)]
pub struct Options {
    /// Targets; all of them unless told.
    targets: Vec<String>,
    /// Seconds for each.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

/// How a target did.
struct Outcome {
    target: String,
    stats: Option<(u64, u64)>,
    log: PathBuf,
}

/// Run them all, then tell; a finding is an error.
pub fn run(project: &Project, options: &Options) -> Result<()> {
    if let Some(odd) = options.targets.iter().find(|t| !TARGETS.contains(&t.as_str())) {
        bail!("no fuzz target `{odd}`; there are {}", TARGETS.join(", "));
    }
    ensure_tools(project)?;
    let wanted = |t: &&&str| options.targets.is_empty() || options.targets.iter().any(|o| o == **t);
    let mut found = Vec::new();
    println!("| target | executions | executions/s |\n|---|--:|--:|");
    for target in TARGETS.iter().filter(wanted) {
        let outcome = run_target(project, target, options.seconds)?;
        match outcome.stats {
            Some((runs, rate)) => println!("| {} | {runs} | {rate} |", outcome.target),
            None => found.push(outcome),
        }
    }
    for Outcome { target, log, .. } in &found {
        eprintln!("{target} ended with a finding; see {} and fuzz/artifacts/{target}", log.display());
    }
    if !found.is_empty() {
        bail!("{} fuzz target(s) found something", found.len());
    }
    Ok(())
}

fn ensure_tools(project: &Project) -> Result<()> {
    let quiet = |command: &mut Command| {
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
    };
    if !quiet(&mut sanitizing(project, &["fuzz", "--version"])) {
        project.run("cargo", ["install", "--locked", "cargo-fuzz"])?;
    }
    Ok(())
}

/// `cargo` in `fuzz/`, with the sanitizers that a stable compiler holds back: the build is for fuzzing only.
fn sanitizing(project: &Project, args: &[&str]) -> Command {
    let mut command = project.command("cargo", args);
    command.current_dir(project.root.join("fuzz")).env("RUSTC_BOOTSTRAP", "1");
    command
}

fn run_target(project: &Project, target: &str, seconds: u64) -> Result<Outcome> {
    let out = project.target().join("fuzz");
    let corpus = out.join("corpus").join(target);
    fs::create_dir_all(&corpus)?;
    seeds::write(project, target, &corpus)?;
    let out = out.to_string_lossy().into_owned();
    let mut shared = vec!["--fuzz-dir", ".", "--target-dir", &out];
    if target == "selector" {
        shared.extend(["--features", "host"]);
    }
    let mut build = sanitizing(project, &["fuzz", "build"]);
    run_command(build.args(&shared).arg(target))?;

    let log = project.target().join("fuzz").join(format!("{target}.log"));
    let mut command = sanitizing(project, &["fuzz", "run"]);
    command.args(&shared).arg(target).arg(&corpus).arg("--").args([
        format!("-max_total_time={seconds}"),
        "-timeout=10".into(),
        "-rss_limit_mb=2048".into(),
        "-max_len=16384".into(),
        "-print_final_stats=1".into(),
    ]);
    let dictionary = project.root.join(format!("fuzz/dictionaries/{target}.dict"));
    if dictionary.is_file() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    let status = command.stdout(Stdio::null()).stderr(File::create(&log)?).status()?;
    let text = fs::read_to_string(&log).with_context(|| log.display().to_string())?;
    let stat = |name: &str| {
        text.lines().find_map(|l| l.strip_prefix(name)?.trim().trim_start_matches(':').trim().parse().ok())
    };
    let stats = stat("stat::number_of_executed_units").zip(stat("stat::average_exec_per_sec"));
    Ok(Outcome { target: target.into(), stats: stats.filter(|_| status.success()), log })
}
