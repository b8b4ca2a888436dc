//! The program `sysmanage`.

fn main() -> std::process::ExitCode {
    sysmanage::cli::main()
}
