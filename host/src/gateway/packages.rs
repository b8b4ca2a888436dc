//! Where the gateway gets engines for machines from: the engine slice.

use std::path::PathBuf;

use agent_protocol::engine::EngineAssign;
use futures_util::future::BoxFuture;
use uuid::Uuid;

/// A package to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageFile {
    /// The file.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256, hexadecimal.
    pub digest: String,
}

/// The engines that machines should run, and their packages.
pub trait EnginePackages: Send + Sync + 'static {
    /// The complete list for a machine whose agent has this target triple.
    fn assigned<'a>(&'a self, machine: Uuid, target: &'a str) -> BoxFuture<'a, EngineAssign>;

    /// A package that the machine may fetch; `None` when there is none, or it may not.
    fn package<'a>(
        &'a self,
        machine: Uuid,
        id: &'a str,
        version: &'a str,
    ) -> BoxFuture<'a, Option<PackageFile>>;
}
