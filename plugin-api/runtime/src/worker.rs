//! The child process of an isolated engine.

/// Run as an engine's process: what the host's hidden subcommand calls first thing, before any thread or runtime is
/// started. Standard input is the socket to the host, standard output the sealed library. Returns the exit code.
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::FAILURE
}
