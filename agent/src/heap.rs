//! The allocator of glibc, told to keep little: an agent is idle nearly always.

/// One heap for all threads, given back to the system early: by default each thread that once collected an inventory
/// keeps a heap of its own. Called before any thread is started.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn keep_small() {
    for (parameter, value) in
        [(libc::M_ARENA_MAX, 1), (libc::M_TRIM_THRESHOLD, 64 << 10), (libc::M_MMAP_THRESHOLD, 64 << 10)]
    {
        // SAFETY: no other thread exists yet; a parameter that the allocator does not know changes nothing.
        unsafe { libc::mallopt(parameter, value) };
    }
}

/// Give free pages back to the system, those between used ones too.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn trim() {
    // SAFETY: it takes the allocator's own lock, and touches free memory only.
    unsafe { libc::malloc_trim(0) };
}

/// Other allocators do as they are.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn keep_small() {}

/// Other allocators do as they are.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn trim() {}
