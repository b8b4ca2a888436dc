//! The child process of an isolated engine.
//!
//! Standard input is the socket to the host, standard output the sealed library; both are moved away before anything
//! else. The process is confined first and loads the engine's code second. It ends with its host: when the socket
//! closes, and by signal when the host's thread that started it is gone.

#[cfg(target_os = "linux")]
mod proxies;
#[cfg(target_os = "linux")]
mod run;
#[cfg(target_os = "linux")]
mod sandbox;
#[cfg(target_os = "linux")]
mod seccomp;
#[cfg(target_os = "linux")]
mod serve;

use std::process::ExitCode;

/// Run as an engine's process: what the host's hidden subcommand calls first thing, before any thread or runtime is
/// started. Ends the process when the host wants it to; returns only when it cannot begin.
#[cfg(target_os = "linux")]
pub fn main() -> ExitCode {
    match run::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The host reads this: standard error is a pipe to its log.
            let _ = std::io::Write::write_all(
                &mut std::io::stderr(),
                format!("engine worker: {error}\n").as_bytes(),
            );
            ExitCode::FAILURE
        }
    }
}

/// Isolated mode needs Linux.
#[cfg(not(target_os = "linux"))]
pub fn main() -> ExitCode {
    ExitCode::FAILURE
}
