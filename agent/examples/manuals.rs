//! `manuals completions SHELL | man FOLDER`: what shells and manuals need of the agent, from the definition of its command
//! line. Not in the agent itself: it would make every machine carry it.

use std::{env, fs, io, path::Path};

use anyhow::{Context, Result, bail};
use clap::ValueEnum as _;
use clap_complete::Shell;

fn main() -> Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let mut command = sysmanage_agent::cli::command();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["completions", shell] => {
            let shell = Shell::from_str(shell, true).map_err(anyhow::Error::msg)?;
            clap_complete::generate(shell, &mut command, "sysmanage-agent", &mut io::stdout());
            Ok(())
        }
        ["man", folder] => {
            fs::create_dir_all(Path::new(folder)).with_context(|| folder.to_owned())?;
            Ok(clap_mangen::generate_to(command.disable_help_subcommand(true), folder)?)
        }
        _ => bail!("usage: manuals completions SHELL | man FOLDER"),
    }
}
