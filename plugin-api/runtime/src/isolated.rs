//! A server half in a child process.

use std::sync::Arc;

use crate::{EngineInstance, HostServices, IsolatedOptions, Package, StartError, Verified};

/// Start a package's server half in a child process.
///
/// # Errors
/// [`StartError`].
pub async fn start_isolated(
    _package: &Verified<Package>,
    _services: HostServices,
    _options: IsolatedOptions,
) -> Result<Arc<dyn EngineInstance>, StartError> {
    Err(StartError::IsolationUnavailable)
}
