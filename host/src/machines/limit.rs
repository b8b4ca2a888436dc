//! How many machines may be approved: asked of the licence.

use futures_util::future::BoxFuture;

/// A licence's limit is reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "The licence covers {limit} machines, and {approved} are approved. Extend the licence or remove a machine."
)]
pub struct LimitReached {
    /// Machines the licence covers.
    pub limit: u64,
    /// Machines approved now.
    pub approved: u64,
}

/// Decides whether another machine may be approved. The core alone has no limit; an installed licence may have one.
pub trait MachineLimit: Send + Sync + 'static {
    /// Whether one more may join `approved` machines.
    fn admits(&self, approved: u64) -> BoxFuture<'_, Result<(), LimitReached>>;
}

/// No limit: what holds until the licence slice sets its own.
#[derive(Debug)]
pub struct Unlimited;

impl MachineLimit for Unlimited {
    fn admits(&self, _: u64) -> BoxFuture<'_, Result<(), LimitReached>> {
        Box::pin(async { Ok(()) })
    }
}
