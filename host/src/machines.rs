//! Machines: enrolment, approval, tags, presence, inventory and live metrics.

mod auto_tags;
mod bulk;
mod change_routes;
mod decision_routes;
mod diff;
mod duplicates;
mod enrolment;
mod entity;
mod error;
mod facts;
mod history;
mod indexing;
mod ingest;
mod inventory;
mod limit;
mod live;
mod model;
mod overview;
mod overview_routes;
mod presence;
mod routes;
mod service;
mod sort;
mod stale;
mod stale_routes;
mod store;
mod tag_routes;
mod tag_store;
mod tags;
pub(crate) mod targets;
mod token_routes;
mod trend;

use std::{ops::Deref, sync::Arc};

use utoipa_axum::router::OpenApiRouter;

use crate::app::{App, Core};

pub use bulk::{Decided, NotDecided};
pub use duplicates::Duplicate;
pub use enrolment::TokenRequest;
pub use error::MachineError;
pub use history::ChangeQuery;
pub use ingest::{Report, StoreSectionError, Stored};
pub use limit::{LimitReached, MachineLimit, Unlimited};
pub use live::{LiveMachines, Presence};
pub use model::{
    EnrolmentToken, InventoryChange, LiveMetrics, Machine, MachineDetails, MachineEngine, MachineState,
    NewEnrolmentToken, Section, SectionSummary,
};
pub use overview::{Facet, Facets};
pub(crate) use presence::Refusal;
pub use service::{MachineChange, MachineQuery, Machines};
pub use sort::{Sort, SortBy};
pub use stale::{StalePolicy, Swept};
pub use tags::{BulkTags, MachineTag, Tag, TagChange};
pub use trend::{Trend, TrendPoint};

/// Services of this slice: [`Machines`].
pub struct Services {
    core: Arc<Core>,
    machines: Machines,
}

impl Deref for Services {
    type Target = Machines;

    fn deref(&self) -> &Machines {
        &self.machines
    }
}

impl Services {
    /// Build over the shared part; starts nothing.
    pub async fn new(core: Arc<Core>) -> anyhow::Result<Self> {
        let machines = Machines::new(core.clone());
        Ok(Self { core, machines })
    }

    /// Nobody is connected yet; from now on presence is written.
    pub async fn start(&self, _app: &Arc<App>) -> anyhow::Result<()> {
        store::all_offline(self.core.db.write()).await?;
        indexing::catch_up(&self.core.db).await?;
        let machines = self.machines.clone();
        let stop = self.core.shutdown.clone();
        self.core.tasks.spawn(async move { machines.keep_presence(stop).await });
        let (machines, stop) = (self.machines.clone(), self.core.shutdown.clone());
        self.core.tasks.spawn(async move { machines.keep_inventory(stop).await });
        let (machines, stop) = (self.machines.clone(), self.core.shutdown.clone());
        self.core.tasks.spawn(async move { machines.keep_tags(stop).await });
        let (machines, stop) = (self.machines.clone(), self.core.shutdown.clone());
        self.core.tasks.spawn(async move { machines.keep_policy(stop).await });
        let (machines, stop) = (self.machines.clone(), self.core.shutdown.clone());
        self.core.tasks.spawn(async move { machines.keep_trend(stop).await });
        Ok(())
    }
}

/// Routes with the ordinary time limit.
pub fn router() -> OpenApiRouter<Arc<App>> {
    routes::router()
        .merge(change_routes::router())
        .merge(overview_routes::router())
        .merge(token_routes::router())
        .merge(tag_routes::router())
        .merge(decision_routes::router())
        .merge(stale_routes::router())
}
