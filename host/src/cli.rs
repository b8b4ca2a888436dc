//! The command line.

/// Entry of the program.
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
