//! What is covered and how much of it is used: permission first, the ledger and the audit log for what changes.

mod ledger;
mod notices;
mod renewals;
mod views;
mod watch;

use plugin_sdk::{Ctx, Host};

use crate::{error::Error, store::Store};

pub use renewals::{RenewalFile, RenewalResponse};
pub use views::{Lapse, Overview};

type Result<T> = std::result::Result<T, Error>;

/// The service.
pub struct Coverage {
    host: Host,
    store: Store,
    /// One writer of the ledger in this process; others are told apart by the entry's place.
    writing: tokio::sync::Mutex<()>,
    /// One look at licences and machines at a time.
    watching: tokio::sync::Mutex<()>,
}

fn allowed(ctx: &Ctx, permission: &str) -> Result<()> {
    ctx.require(permission).map_err(Error::Denied)
}

impl Coverage {
    pub fn new(host: Host) -> Self {
        Self {
            store: Store::new(host.db()),
            host,
            writing: tokio::sync::Mutex::default(),
            watching: tokio::sync::Mutex::default(),
        }
    }

    /// Whether the ledger can be read and the licences asked.
    pub async fn ready(&self) -> Result<()> {
        self.store.head().await?;
        self.host.licenses().explain(None).await?;
        Ok(())
    }
}
