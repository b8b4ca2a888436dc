//! The program `sysmanage`.

fn main() -> std::process::ExitCode {
    // The process of an isolated engine: confined before any thread or runtime is made.
    if std::env::args_os().nth(1).is_some_and(|a| a == "engine-worker") {
        return plugin_runtime::worker::main();
    }
    sysmanage::cli::main()
}
