//! The SysManage agent's program; everything it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    sysmanage_agent::heap::keep_small();
    sysmanage_agent::cli::main()
}
