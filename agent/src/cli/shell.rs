//! `sysmanage-agent completions|man`: what shells and manuals need, from the definition of the command line itself.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Cli;

/// Completions for a shell.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// Shell: bash, zsh, fish, elvish or powershell.
    shell: Shell,
}

impl Completions {
    /// Print the script.
    pub(super) fn print(&self, out: &mut impl Write) -> anyhow::Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "sysmanage-agent", &mut script);
        Ok(out.write_all(&script)?)
    }
}

/// The manual.
#[derive(Debug, Args)]
pub(super) struct Man {
    /// Folder to write every page to; without it the first page is printed.
    folder: Option<PathBuf>,
}

impl Man {
    /// Print the first page, or write all of them.
    pub(super) fn write(&self, out: &mut impl Write) -> anyhow::Result<()> {
        let command = Cli::command();
        match &self.folder {
            Some(folder) => pages(command, folder),
            None => Ok(clap_mangen::Man::new(command).render(out)?),
        }
    }
}

fn pages(command: clap::Command, folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    clap_mangen::generate_to(command.disable_help_subcommand(true), folder)
        .with_context(|| format!("the pages cannot be written to {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completions_and_pages_know_the_subcommands() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let mut script = Vec::new();
            Completions { shell }.print(&mut script).expect("a script");
            assert!(String::from_utf8_lossy(&script).contains("completions"), "{shell}");
        }
        let folder = tempfile::tempdir().expect("a folder");
        Man { folder: Some(folder.path().to_owned()) }.write(&mut Vec::new()).expect("pages");
        assert!(folder.path().join("sysmanage-agent.1").exists());
        assert!(folder.path().join("sysmanage-agent-completions.1").exists());
    }
}
