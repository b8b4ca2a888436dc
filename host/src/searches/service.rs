//! The searches service: list, look, save, change, delete.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sea_orm::{ActiveModelTrait, DbErr, IntoActiveModel, ModelTrait};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    SearchError, entity,
    store::{self, Visible},
};
use crate::{
    app::Core,
    audit::Change,
    ctx::Ctx,
    events::NewEvent,
    http::Page,
    machines::Machines,
    selector::{Saved, Selector, is_search_name},
};

/// Most saved searches of a host.
const MOST: usize = 2000;

/// A selector with a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Search {
    /// Id.
    pub id: Uuid,
    /// As `search:<name>` in selectors.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What it finds.
    pub selector: String,
    /// Whether everybody may use it.
    pub shared: bool,
    /// Who made it.
    pub owner_id: Option<Uuid>,
    /// Name of who made it.
    pub owner_name: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed.
    pub updated_at: DateTime<Utc>,
    /// Whether the selector can be used; it cannot when a search that it names is gone.
    pub usable: bool,
}

/// A search to save.
#[derive(Debug, Clone)]
pub struct NewSearch {
    /// Name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What it finds.
    pub selector: String,
    /// Whether everybody may use it.
    pub shared: bool,
}

/// What to change; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct SearchChange {
    /// Name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// What it finds.
    pub selector: Option<String>,
    /// Whether everybody may use it.
    pub shared: Option<bool>,
}

/// The searches service. Cheap to clone.
#[derive(Clone)]
pub struct Searches {
    core: Arc<Core>,
}

fn visible(ctx: &Ctx) -> Visible {
    match ctx.actor.user_id() {
        Some(user) => Visible::To(Some(user)),
        None => Visible::All,
    }
}

impl Searches {
    pub(super) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Tell selectors of the saved searches as they are now.
    pub(super) async fn refresh(&self) -> Result<(), DbErr> {
        let rows = store::all(self.core.db.write()).await?;
        let saved = |row: entity::Model| {
            let node = row.selector.parse::<Selector>().ok().map(|s| s.node().clone());
            (row.name, Saved { owner: row.owner_id, shared: row.shared, node })
        };
        self.core.selectors.know(rows.into_iter().map(saved).collect());
        Ok(())
    }

    fn shown(&self, row: entity::Model) -> Search {
        let env = self.core.selectors.env();
        let usable = row.selector.parse::<Selector>().is_ok_and(|s| env.expand(s.node()).is_ok());
        Search {
            id: row.id,
            name: row.name,
            description: row.description,
            selector: row.selector,
            shared: row.shared,
            owner_id: row.owner_id,
            owner_name: row.owner_name,
            created_at: row.created_at,
            updated_at: row.updated_at,
            usable,
        }
    }

    /// Searches that the actor may use, by name; the one of this name when it is given.
    pub async fn list(
        &self,
        ctx: &Ctx,
        name: Option<String>,
        after: Option<String>,
        limit: u64,
    ) -> Result<Page<Search>, SearchError> {
        ctx.require("searches:read")?;
        let page = store::list(self.core.db.read(), visible(ctx), name, after, limit).await?;
        Ok(page.map(|row| self.shown(row)))
    }

    /// One search.
    pub async fn get(&self, ctx: &Ctx, id: Uuid) -> Result<Search, SearchError> {
        ctx.require("searches:read")?;
        let row = store::get(self.core.db.read(), id, visible(ctx)).await?;
        row.map(|row| self.shown(row)).ok_or(SearchError::NotFound)
    }

    /// Save a search. One for everybody needs `searches:share` too, and names shared searches only.
    pub async fn create(&self, ctx: &Ctx, new: NewSearch) -> Result<Search, SearchError> {
        ctx.require("searches:write")?;
        if new.shared {
            ctx.require("searches:share")?;
        }
        let owner = ctx.actor.user_id();
        let selector = self.checked(ctx, &new.name, &new.selector, new.shared, owner)?;
        check_description(&new.description)?;
        let now = self.core.clock.now();
        let row = entity::Model {
            id: Uuid::now_v7(),
            name: new.name,
            description: new.description,
            selector,
            shared: new.shared,
            owner_id: owner,
            owner_name: ctx.actor_name.clone(),
            created_at: now,
            updated_at: now,
        };
        let tx = self.core.db.begin().await?;
        if store::named(&tx, &row.name).await?.is_some() {
            return Err(SearchError::NameTaken(row.name));
        }
        if store::all(&tx).await?.len() >= MOST {
            let detail = format!("There are {MOST} saved searches already; delete some first.");
            return Err(SearchError::Invalid { field: "name", detail });
        }
        entity::ActiveModel::from(row.clone()).insert(&tx).await?;
        let change = Change::new("search.created", "search", row.id).after(audited(&row));
        self.core.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await?;
        self.refresh().await?;
        self.publish("search.created", &row);
        Ok(self.shown(row))
    }

    /// The canonical selector, when the search may be saved so.
    fn checked(
        &self,
        ctx: &Ctx,
        name: &str,
        selector: &str,
        shared: bool,
        owner: Option<Uuid>,
    ) -> Result<String, SearchError> {
        if !is_search_name(name) {
            let detail = "A saved search's name has 1 to 64 of a-z, 0-9, `-` and `_`.".into();
            return Err(SearchError::Invalid { field: "name", detail });
        }
        let selectors = &self.core.selectors;
        let parsed: Selector = selector.parse()?;
        let node = parsed.node().clone();
        selectors.fits(name, Saved { owner, shared, node: Some(node) })?;
        let parsed =
            if shared { selectors.parse_for_all(selector)? } else { selectors.parse(ctx, selector)? };
        Ok(parsed.to_string())
    }

    /// Change a search of one's own, or a shared one with `searches:share`. What a role's scope depends on needs
    /// `roles:manage`; what is used keeps its name and stays shared.
    pub async fn update(&self, ctx: &Ctx, id: Uuid, change: SearchChange) -> Result<Search, SearchError> {
        ctx.require("searches:write")?;
        let row = self.changeable(ctx, id).await?;
        let mut new = row.clone();
        new.name = change.name.unwrap_or(new.name);
        new.description = change.description.unwrap_or(new.description);
        new.shared = change.shared.unwrap_or(new.shared);
        if new.shared {
            ctx.require("searches:share")?;
        }
        check_description(&new.description)?;
        let selector = change.selector.unwrap_or_else(|| row.selector.clone());
        new.selector = self.checked(ctx, &new.name, &selector, new.shared, row.owner_id)?;
        new.updated_at = self.core.clock.now();
        let tx = self.core.db.begin().await?;
        if new.name != row.name && store::named(&tx, &new.name).await?.is_some() {
            return Err(SearchError::NameTaken(new.name));
        }
        if new.name != row.name || (row.shared && !new.shared) {
            self.unused(&tx, &row.name).await?;
        } else if new.selector != row.selector {
            self.may_widen(ctx, &tx, &row.name).await?;
        }
        new.clone().into_active_model().reset_all().update(&tx).await?;
        let entry = Change::new("search.updated", "search", id).before(audited(&row)).after(audited(&new));
        self.core.audit.record_in(ctx, &tx, entry).await?;
        tx.commit().await?;
        self.refresh().await?;
        self.publish("search.updated", &new);
        Ok(self.shown(new))
    }

    /// Delete a search that nothing uses.
    pub async fn delete(&self, ctx: &Ctx, id: Uuid) -> Result<(), SearchError> {
        ctx.require("searches:write")?;
        let row = self.changeable(ctx, id).await?;
        let tx = self.core.db.begin().await?;
        self.unused(&tx, &row.name).await?;
        row.clone().delete(&tx).await?;
        let entry = Change::new("search.deleted", "search", id).before(audited(&row));
        self.core.audit.record_in(ctx, &tx, entry).await?;
        tx.commit().await?;
        self.refresh().await?;
        self.publish("search.deleted", &row);
        Ok(())
    }

    /// The search, when the actor may change it.
    async fn changeable(&self, ctx: &Ctx, id: Uuid) -> Result<entity::Model, SearchError> {
        let row = store::get(self.core.db.read(), id, visible(ctx)).await?.ok_or(SearchError::NotFound)?;
        if row.shared && ctx.actor.user_id().is_none_or(|user| row.owner_id != Some(user)) {
            ctx.require("searches:share")?;
        }
        Ok(row)
    }

    /// Roles whose scope leads to the search.
    async fn roles_using(
        &self,
        db: &impl sea_orm::ConnectionTrait,
        name: &str,
    ) -> Result<Vec<String>, SearchError> {
        let leading = self.core.selectors.leading_to(name);
        let uses = |s: &Selector| s.node().searches().iter().any(|n| leading.contains(*n));
        Ok(named(store::scopes(db).await?, uses))
    }

    async fn unused(&self, db: &impl sea_orm::ConnectionTrait, name: &str) -> Result<(), SearchError> {
        let direct = |s: &Selector| s.node().searches().contains(&name);
        let searches = store::all(db)
            .await?
            .into_iter()
            .filter(|row| row.name != name && row.selector.parse::<Selector>().is_ok_and(|s| direct(&s)));
        let roles = self.roles_using(db, name).await?;
        let tags = named(store::tag_rules(db).await?, direct);
        let policy = Machines::kept(&self.core.settings).await?.parse::<Selector>().is_ok_and(|s| direct(&s));
        let users: Vec<String> = searches
            .map(
                |row| if row.shared { format!("the search {}", row.name) } else { "a private search".into() },
            )
            .chain(roles.into_iter().map(|role| format!("the role {role}")))
            .chain(tags.into_iter().map(|tag| format!("the tag {tag}")))
            .chain(policy.then(|| "the policy for stale machines".to_owned()))
            .collect();
        if users.is_empty() { Ok(()) } else { Err(SearchError::InUse(users)) }
    }

    /// Changing what a role reaches is managing roles.
    async fn may_widen(
        &self,
        ctx: &Ctx,
        db: &impl sea_orm::ConnectionTrait,
        name: &str,
    ) -> Result<(), SearchError> {
        match self.roles_using(db, name).await?.is_empty() {
            true => Ok(()),
            false => Ok(ctx.require("roles:manage")?),
        }
    }

    fn publish(&self, topic: &str, row: &entity::Model) {
        if row.shared {
            let data = json!({"search_id": row.id, "name": row.name});
            self.core.events.publish(NewEvent::new(topic, "searches:read", data));
        }
    }
}

/// Names of those whose selector `uses` it.
fn named(found: Vec<(String, String)>, uses: impl Fn(&Selector) -> bool) -> Vec<String> {
    let uses = |text: &str| text.parse::<Selector>().is_ok_and(|selector| uses(&selector));
    found.into_iter().filter(|(_, text)| uses(text)).map(|(name, _)| name).collect()
}

fn audited(row: &entity::Model) -> serde_json::Value {
    json!({"name": row.name, "description": row.description, "selector": row.selector, "shared": row.shared})
}

fn check_description(text: &str) -> Result<(), SearchError> {
    match text.len() > 1000 {
        true => {
            let detail = "A description has at most 1000 bytes.".into();
            Err(SearchError::Invalid { field: "description", detail })
        }
        false => Ok(()),
    }
}
