//! How much the client takes from a repository.

use std::time::Duration;

/// Limits of one refresh and its downloads. Sizes are in bytes.
#[derive(Debug, Clone)]
pub struct Limits {
    /// A file of the root role.
    pub root: u64,
    /// Steps of the root chain in one refresh.
    pub root_steps: u64,
    /// The timestamp.
    pub timestamp: u64,
    /// The snapshot.
    pub snapshot: u64,
    /// A file of targets, the vendor's or a publisher's.
    pub targets: u64,
    /// Delegated roles, whoever delegates them.
    pub roles: usize,
    /// Delegations below one another.
    pub depth: usize,
    /// A target that is read into memory.
    pub read: u64,
    /// A target that is saved.
    pub save: u64,
    /// Time for one file of metadata.
    pub metadata_time: Duration,
    /// Time in which a download may bring nothing.
    pub stall: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1 << 20;
        Self {
            root: MIB / 2,
            root_steps: 256,
            timestamp: 16 << 10,
            snapshot: 2 * MIB,
            targets: 8 * MIB,
            roles: 512,
            depth: 4,
            read: 16 * MIB,
            save: 1024 * MIB,
            metadata_time: Duration::from_secs(60),
            stall: Duration::from_secs(30),
        }
    }
}
