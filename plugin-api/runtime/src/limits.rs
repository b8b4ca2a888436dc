//! How much of a package is read before it is refused.

/// Limits of a package, all inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the `.engine` file.
    pub compressed: u64,
    /// Bytes of the tar inside it.
    pub decompressed: u64,
    /// Bytes of one file.
    pub file: u64,
    /// Number of files.
    pub entries: usize,
    /// Logarithm of the zstd window: what the decoder may keep in memory.
    pub window_log: u32,
}

impl Limits {
    /// What hosts and agents use: 256 MiB packed, 512 MiB unpacked, 256 MiB a file, 4096 files, 32 MiB window.
    pub const DEFAULT: Self = Self {
        compressed: 256 << 20,
        decompressed: 512 << 20,
        file: 256 << 20,
        entries: 4096,
        window_log: 25,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
