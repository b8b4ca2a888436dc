//! A program that is nothing but an isolated engine's process, for hosts that do not start themselves again.

fn main() -> std::process::ExitCode {
    plugin_runtime::worker::main()
}
