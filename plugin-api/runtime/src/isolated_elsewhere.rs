//! Isolated mode where there is none: it rests on Linux's sealed memory files, seccomp and Landlock.

use std::sync::Arc;

use crate::{EngineInstance, HostServices, IsolatedOptions, Package, StartError, Verified};

/// Isolated mode needs Linux.
///
/// # Errors
/// Always [`StartError::IsolationUnavailable`].
#[allow(clippy::unused_async)] // The same signature as on Linux.
pub async fn start_isolated(
    _package: &Verified<Package>,
    _services: HostServices,
    _options: IsolatedOptions,
) -> Result<Arc<dyn EngineInstance>, StartError> {
    Err(StartError::IsolationUnavailable)
}
