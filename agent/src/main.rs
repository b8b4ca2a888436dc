//! The SysManage agent's program; everything it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    keep_memory_small();
    sysmanage_agent::cli::main()
}

/// One heap for all threads, given back to the system early: by default each thread that once collected an inventory
/// keeps a heap of its own.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn keep_memory_small() {
    for (parameter, value) in
        [(libc::M_ARENA_MAX, 1), (libc::M_TRIM_THRESHOLD, 64 << 10), (libc::M_MMAP_THRESHOLD, 64 << 10)]
    {
        // SAFETY: no other thread exists yet; a parameter that the allocator does not know changes nothing.
        unsafe { libc::mallopt(parameter, value) };
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn keep_memory_small() {}
