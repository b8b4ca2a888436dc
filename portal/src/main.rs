//! The program `sysmanage-portal`.

fn main() -> std::process::ExitCode {
    portal::cli::main()
}
