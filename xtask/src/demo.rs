//! `cargo xtask demo`: build everything, then hand over to the demo program.

use anyhow::Result;

use crate::{
    console, engine,
    project::{Project, run_command},
};

/// How the demo runs.
#[derive(clap::Args)]
pub struct Options {
    /// Folder for its data; kept between runs, removed with `--fresh`.
    #[arg(long)]
    data: Option<std::path::PathBuf>,
    /// Begin with an empty folder.
    #[arg(long)]
    fresh: bool,
    /// Stop once the fleet is up, instead of at Ctrl-C.
    #[arg(long)]
    once: bool,
    /// Port of the host; 8443 unless told.
    #[arg(long, default_value_t = 8443)]
    port: u16,
    /// Port of the portal; 8460 unless told.
    #[arg(long, default_value_t = 8460)]
    portal_port: u16,
}

/// Build, then run `target/debug/demo`.
pub fn run(project: &Project, options: &Options) -> Result<()> {
    console::build(project)?;
    project.build_programs()?;
    engine::build_all(project)?;
    // The demo's portal offers them as stable, which takes a report.
    engine::report_all(project)?;
    let bin = project.target().join("debug");
    let data = options.data.clone().unwrap_or_else(|| project.target().join("demo"));
    let mut command = project.command(&bin.join("demo").to_string_lossy(), ["--data"]);
    command.arg(data).args(["--port", &options.port.to_string()]);
    command.args(["--portal-port", &options.portal_port.to_string()]);
    command.env("SYSMANAGE_BIN_DIR", &bin).env("SYSMANAGE_ENGINES_DIR", engine::out_dir(project));
    for (flag, on) in [("--fresh", options.fresh), ("--once", options.once)] {
        if on {
            command.arg(flag);
        }
    }
    run_command(&mut command)
}
