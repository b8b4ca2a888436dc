//! The software service: everything within the actor's reach, counts too.

use std::sync::Arc;

use sea_orm::{Condition, ConnectionTrait, DbErr};
use uuid::Uuid;

use super::{Installed, Package, SoftwareError, Title, TitleDetails, Update, store};
use crate::{
    app::Core,
    ctx::{Ctx, Scope},
    http::Page,
    machines::Machines,
    selector::Selector,
};

/// What a list is ordered by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// Name.
    #[default]
    Name,
    /// Machines, the most first.
    Machines,
}

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// On machines a selector matches.
    pub selector: Option<Selector>,
    /// With this in its name.
    pub search: Option<String>,
    /// Of this package system.
    pub manager: Option<String>,
    /// Security updates only, or others only.
    pub security: Option<bool>,
    /// This version.
    pub version: Option<String>,
    /// In this order.
    pub order: Order,
    /// Continue after this key.
    pub after: Option<String>,
    /// At most so many.
    pub limit: u64,
}

/// Which machines are looked at.
pub(super) enum Reach {
    /// All: counts are kept.
    All,
    /// A few: what they have is counted.
    Few(Condition),
    /// Most: what the others have is taken from the counts.
    AllBut(Condition),
}

/// The software service. Cheap to clone.
#[derive(Clone)]
pub struct Software {
    core: Arc<Core>,
}

impl Software {
    pub(super) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Software by title.
    pub async fn titles(&self, ctx: &Ctx, listing: Listing) -> Result<Page<Title>, SoftwareError> {
        let condition = self.reached(ctx, listing.selector.as_ref())?;
        let db = self.core.db.read();
        let reach = self.reach(db, condition).await?;
        Ok(store::titles(db, &reach, listing).await?)
    }

    /// A title, by id or name, with its versions.
    pub async fn title(
        &self,
        ctx: &Ctx,
        software: &str,
        selector: Option<&Selector>,
    ) -> Result<TitleDetails, SoftwareError> {
        let condition = self.reached(ctx, selector)?;
        let db = self.core.db.read();
        let title = self.within(software, condition.as_ref()).await?;
        let installed = store::versions(db, title.id, condition.as_ref()).await?;
        Ok(TitleDetails { title, installed })
    }

    /// Of the titles with this id or name, the first that a machine within reach has.
    async fn within(&self, software: &str, reached: Option<&Condition>) -> Result<Title, SoftwareError> {
        let db = self.core.db.read();
        for title in store::named(db, software, reached).await? {
            let machines = match reached {
                None => title.machines,
                Some(condition) => store::machines_with(db, title.id, condition).await?,
            };
            if machines > 0 {
                return Ok(Title { machines, ..title });
            }
        }
        Err(SoftwareError::NotFound("software"))
    }

    /// Machines that have a title.
    pub async fn machines_of(
        &self,
        ctx: &Ctx,
        software: &str,
        listing: Listing,
    ) -> Result<Page<Installed>, SoftwareError> {
        let condition = self.reached(ctx, listing.selector.as_ref())?;
        let db = self.core.db.read();
        let title = self.within(software, condition.as_ref()).await?;
        let entries = store::entries(db, title.id, listing.version.as_deref()).await?;
        Ok(store::machines(db, "machine_software", "software", &entries, condition, &listing).await?)
    }

    /// Updates by package and new version.
    pub async fn updates(&self, ctx: &Ctx, listing: Listing) -> Result<Page<Update>, SoftwareError> {
        let condition = self.reached(ctx, listing.selector.as_ref())?;
        let db = self.core.db.read();
        let reach = self.reach(db, condition).await?;
        Ok(store::updates(db, &reach, listing).await?)
    }

    /// Machines that need an update.
    pub async fn machines_needing(
        &self,
        ctx: &Ctx,
        update: i32,
        listing: Listing,
    ) -> Result<Page<Installed>, SoftwareError> {
        let condition = self.reached(ctx, listing.selector.as_ref())?;
        let db = self.core.db.read();
        Ok(store::machines(db, "machine_updates", "updates", &[update], condition, &listing).await?)
    }

    /// What is installed on a machine, or available for it (`list` is `packages` or `updates`), by key.
    pub async fn of_machine(
        &self,
        ctx: &Ctx,
        machines: &Machines,
        machine: Uuid,
        list: &str,
        listing: Listing,
    ) -> Result<Page<Package>, SoftwareError> {
        let found = machines.listed(ctx, machine, list).await?;
        let text = |v: &serde_json::Value, name: &str| v[name].as_str().unwrap_or_default().to_lowercase();
        let search = listing.search.as_deref().map(str::to_lowercase);
        let wanted = |v: &serde_json::Value| {
            search.as_ref().is_none_or(|s| text(v, "name").contains(s) || text(v, "title").contains(s))
                && listing.manager.as_ref().is_none_or(|m| v["manager"] == m.as_str())
                && listing.security.is_none_or(|s| v["security"].as_bool().unwrap_or_default() == s)
                && listing.after.as_ref().is_none_or(|after| v["key"].as_str() > Some(after))
        };
        let most = usize::try_from(listing.limit).unwrap_or(usize::MAX).saturating_add(1);
        let rows: Vec<_> = found.into_iter().filter(wanted).take(most).collect();
        let key = |v: &serde_json::Value| v["key"].as_str().unwrap_or_default().to_owned();
        Ok(Page::cut(rows, listing.limit, key).map(Package))
    }

    async fn reach(&self, db: &impl ConnectionTrait, condition: Option<Condition>) -> Result<Reach, DbErr> {
        let Some(condition) = condition else { return Ok(Reach::All) };
        let (some, all) = store::reached(db, &condition).await?;
        Ok(match some {
            _ if some == all => Reach::All,
            _ if some > all / 2 => Reach::AllBut(condition),
            _ => Reach::Few(condition),
        })
    }

    /// A condition on `machines`; none when all are reached.
    fn reached(&self, ctx: &Ctx, selector: Option<&Selector>) -> Result<Option<Condition>, SoftwareError> {
        let scope = ctx.require_scope("machines:read")?;
        let env = self.core.selectors.env();
        let mut condition = Condition::all();
        if scope != Scope::All {
            condition = condition.add(scope.condition(&env));
        }
        if let Some(selector) = selector {
            condition = condition.add(selector.condition(&env));
        }
        Ok((!condition.is_empty()).then_some(condition))
    }
}
