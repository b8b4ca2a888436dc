//! Tags as things of their own: listed with counts, described, renamed, deleted, put on many machines at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sea_orm::ActiveValue::Set;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{MachineError, Machines, entity::label, service::check_tags, tag_store as tags};
use crate::{
    audit::Change,
    ctx::{Ctx, Forbidden, Scope},
    events::NewEvent,
    selector::{Selector, SelectorError},
};

/// Most machines of one bulk change.
const MOST: u64 = 100_000;

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tag {
    /// Name.
    pub name: String,
    /// `#rrggbb`, or empty.
    pub colour: String,
    /// What it means.
    pub description: String,
    /// The rule of an automatic tag: machines that it selects have the tag, and no others.
    pub selector: Option<String>,
    /// Machines within the caller's reach that have it.
    pub machines: u64,
}

/// What to change of a tag; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct TagChange {
    /// `#rrggbb`, or empty.
    pub colour: Option<String>,
    /// What it means.
    pub description: Option<String>,
    /// The rule; an empty one ends it, and the machines keep the tag.
    pub selector: Option<String>,
}

/// A tag of one machine, and why it has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MachineTag {
    /// Name.
    pub name: String,
    /// Whether a rule set it.
    pub automatic: bool,
    /// The rule that selects the machine.
    pub selector: Option<String>,
}

/// Tags to put on machines and to take off.
#[derive(Debug, Clone, Default)]
pub struct BulkTags {
    /// The machines.
    pub selector: String,
    /// Tags to put on.
    pub add: Vec<String>,
    /// Tags to take off.
    pub remove: Vec<String>,
}

impl Machines {
    /// Tags with how many machines within the actor's reach have them. Who does not reach all machines sees only tags
    /// of those that they reach.
    pub async fn list_tags(&self, ctx: &Ctx) -> Result<Vec<Tag>, MachineError> {
        let scope = ctx.require_scope("tags:read")?;
        let db = self.core.db.read();
        let counts = tags::counts(db, scope.condition(&self.core.selectors.env())).await?;
        let mut known: BTreeMap<String, label::Model> =
            tags::labels(db).await?.into_iter().map(|l| (l.name.clone(), l)).collect();
        let mut shown: Vec<Tag> =
            counts.into_iter().map(|(name, n)| shown(known.remove(&name), name, n)).collect();
        if scope == Scope::All {
            shown.extend(known.into_iter().map(|(name, label)| self::shown(Some(label), name, 0)));
        }
        shown.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(shown)
    }

    /// Describe a tag, or give it a rule. Needs `tags:manage` for all machines, a rule `machines:update` too.
    pub async fn change_tag(&self, ctx: &Ctx, name: &str, change: TagChange) -> Result<Tag, MachineError> {
        everywhere(ctx, "tags:manage")?;
        check_tags(&[name.to_owned()])?;
        check_looks(&change)?;
        let selector = match change.selector.as_deref().map(str::trim) {
            None => None,
            Some("") => Some(None),
            Some(text) => {
                everywhere(ctx, "machines:update")?;
                Some(Some(self.rule(name, text).await?))
            }
        };
        let now = self.core.clock.now();
        let tx = self.core.db.begin().await?;
        let before = tags::label(&tx, name).await?;
        let mut label = before.clone().unwrap_or_else(|| label::Model {
            name: name.into(),
            colour: String::new(),
            description: String::new(),
            selector: None,
            created_at: now,
            updated_at: now,
        });
        label.colour = change.colour.unwrap_or(label.colour);
        label.description = change.description.unwrap_or(label.description);
        label.selector = selector.unwrap_or(label.selector);
        label.updated_at = now;
        tags::save_label(&tx, label.clone()).await?;
        let entry = Change::new("tag.changed", "tag", name)
            .before(before.as_ref().map(audited))
            .after(audited(&label));
        self.core.audit.record_in(ctx, &tx, entry).await?;
        tx.commit().await?;
        self.tell("tag.changed", name);
        self.apply_rules().await?;
        let machines = tags::counts(self.core.db.read(), sea_orm::Condition::all()).await?.remove(name);
        Ok(shown(Some(label), name.into(), machines.unwrap_or(0)))
    }

    /// The canonical rule. A rule asks for no automatic tag: so rules never wait for each other.
    async fn rule(&self, name: &str, text: &str) -> Result<String, MachineError> {
        let bad = |e: SelectorError| MachineError::Invalid { field: "selector", detail: e.to_string() };
        let selector = self.core.selectors.parse_for_all(text).map_err(bad)?;
        let mut automatic = tags::automatic(self.core.db.read()).await?;
        automatic.insert(name.to_owned(), String::new());
        let env = self.core.selectors.env();
        let asked =
            |selector: &Selector| automatic.keys().find(|tag| env.asks_for_tag(selector, tag)).cloned();
        if let Some(other) = asked(&selector) {
            let detail = format!("A rule cannot ask for the automatic tag `{other}`.");
            return Err(MachineError::Invalid { field: "selector", detail });
        }
        let asks = |rule: &String| rule.parse::<Selector>().is_ok_and(|s| env.asks_for_tag(&s, name));
        if let Some((other, _)) = automatic.iter().find(|(_, rule)| asks(rule)) {
            let detail = format!("The rule of `{other}` asks for this tag, so that it cannot have a rule.");
            return Err(MachineError::Invalid { field: "selector", detail });
        }
        Ok(selector.to_string())
    }

    /// Give a tag another name, on every machine that has it.
    pub async fn rename_tag(&self, ctx: &Ctx, name: &str, to: &str) -> Result<(), MachineError> {
        everywhere(ctx, "tags:manage")?;
        everywhere(ctx, "machines:update")?;
        check_tags(&[to.to_owned()])?;
        self.unused_by_roles(ctx, name).await?;
        let tx = self.core.db.begin().await?;
        if tags::exists(&tx, to).await? {
            return Err(MachineError::TagTaken(to.into()));
        }
        if !tags::exists(&tx, name).await? {
            return Err(MachineError::NotFound("tag"));
        }
        tags::rename(&tx, name, to).await?;
        let entry =
            Change::new("tag.renamed", "tag", to).before(json!({"name": name})).after(json!({"name": to}));
        self.core.audit.record_in(ctx, &tx, entry).await?;
        tx.commit().await?;
        self.tell("tag.renamed", to);
        Ok(())
    }

    /// Delete a tag: its rule and looks, and from every machine.
    pub async fn delete_tag(&self, ctx: &Ctx, name: &str) -> Result<(), MachineError> {
        everywhere(ctx, "tags:manage")?;
        everywhere(ctx, "machines:update")?;
        self.unused_by_roles(ctx, name).await?;
        let tx = self.core.db.begin().await?;
        if !tags::exists(&tx, name).await? {
            return Err(MachineError::NotFound("tag"));
        }
        let before = tags::label(&tx, name).await?;
        let machines = tags::delete(&tx, name).await?;
        let entry = Change::new("tag.deleted", "tag", name)
            .before(json!({"label": before.as_ref().map(audited), "machines": machines}));
        self.core.audit.record_in(ctx, &tx, entry).await?;
        tx.commit().await?;
        self.tell("tag.deleted", name);
        Ok(())
    }

    /// A tag that a role's scope asks for changes under the eyes of who manages roles only.
    async fn unused_by_roles(&self, ctx: &Ctx, name: &str) -> Result<(), MachineError> {
        let env = self.core.selectors.env();
        let asks = |scope: &String| scope.parse::<Selector>().is_ok_and(|s| env.asks_for_tag(&s, name));
        if tags::role_scopes(self.core.db.read()).await?.iter().any(asks) {
            ctx.require("roles:manage")?;
        }
        Ok(())
    }

    /// Put tags on the machines that a selector selects within the actor's reach, and take others off. Returns how many
    /// machines changed.
    pub async fn tag_machines(&self, ctx: &Ctx, bulk: BulkTags) -> Result<u64, MachineError> {
        let scope = ctx.require_scope("machines:update")?;
        check_tags(&bulk.add)?;
        self.by_hand(bulk.add.iter().chain(&bulk.remove)).await?;
        let bad = |e: SelectorError| MachineError::Invalid { field: "selector", detail: e.to_string() };
        let selector = self.core.selectors.parse(ctx, &bulk.selector).map_err(bad)?;
        let env = self.core.selectors.env();
        let tx = self.core.db.begin().await?;
        let condition = sea_orm::Condition::all().add(scope.condition(&env)).add(selector.condition(&env));
        let ids = tags::selected(&tx, condition, MOST).await?;
        let mut changed: HashMap<Uuid, (BTreeSet<&str>, BTreeSet<&str>)> = HashMap::new();
        for (list, adds) in [(&bulk.add, true), (&bulk.remove, false)] {
            for tag in list {
                let have = tags::machines_with(&tx, tag).await?;
                let wanted: Vec<Uuid> = ids.iter().filter(|id| have.contains(id) != adds).copied().collect();
                tags::set(&tx, tag, &wanted, adds).await?;
                for id in wanted {
                    let entry = changed.entry(id).or_default();
                    if adds {
                        entry.0.insert(tag)
                    } else {
                        entry.1.insert(tag)
                    };
                }
            }
        }
        for (id, (added, removed)) in &changed {
            let entry = Change::new("machine.tagged", "machine", id)
                .after(json!({"added": added, "removed": removed}));
            self.core.audit.record_in(ctx, &tx, entry).await?;
        }
        tx.commit().await?;
        for (id, (added, removed)) in &changed {
            self.publish("machine.tagged", *id, json!({"added": added, "removed": removed}));
        }
        Ok(changed.len().try_into().unwrap_or(0))
    }

    /// Whether these tags may be set and taken by hand: automatic ones may not.
    pub(super) async fn by_hand<'a>(
        &self,
        tags: impl IntoIterator<Item = &'a String>,
    ) -> Result<(), MachineError> {
        let automatic = tags::automatic(self.core.db.read()).await?;
        match tags.into_iter().find(|tag| automatic.contains_key(*tag)) {
            Some(tag) => Err(MachineError::AutomaticTag(tag.clone())),
            None => Ok(()),
        }
    }

    /// Tags of a machine, each with the rule that set it.
    pub async fn tags(&self, ctx: &Ctx, id: Uuid) -> Result<Vec<MachineTag>, MachineError> {
        self.visible(ctx, "machines:read", id).await?;
        let db = self.core.db.read();
        let mut automatic = tags::automatic(db).await?;
        let names = super::store::tags_of(db, id).await?;
        let tag = |name: String| {
            let selector = automatic.remove(&name);
            MachineTag { automatic: selector.is_some(), name, selector }
        };
        Ok(names.into_iter().map(tag).collect())
    }

    fn tell(&self, topic: &str, name: &str) {
        self.core.events.publish(NewEvent::new(topic, "tags:manage", json!({"tag": name})));
    }
}

/// What concerns every machine needs a permission that reaches every machine.
fn everywhere(ctx: &Ctx, permission: &str) -> Result<(), Forbidden> {
    match ctx.require_scope(permission)? {
        Scope::All => Ok(()),
        Scope::Selector(_) => Err(Forbidden {
            permission: format!("{permission} for all machines"),
            actor_name: ctx.actor_name.clone(),
        }),
    }
}

fn shown(label: Option<label::Model>, name: String, machines: u64) -> Tag {
    match label {
        Some(l) => Tag { name, colour: l.colour, description: l.description, selector: l.selector, machines },
        None => Tag { name, colour: String::new(), description: String::new(), selector: None, machines },
    }
}

fn audited(label: &label::Model) -> serde_json::Value {
    json!({"name": label.name, "colour": label.colour, "description": label.description,
        "selector": label.selector})
}

fn check_looks(change: &TagChange) -> Result<(), MachineError> {
    let colour = |c: &String| {
        c.is_empty()
            || c.strip_prefix('#')
                .is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    if !change.colour.iter().all(colour) {
        return Err(MachineError::Invalid {
            field: "colour",
            detail: "A colour is `#rrggbb` or empty.".into(),
        });
    }
    if change.description.as_ref().is_some_and(|d| d.len() > 1000) {
        let detail = "A description has at most 1000 bytes.".into();
        return Err(MachineError::Invalid { field: "description", detail });
    }
    Ok(())
}

/// Rows of a tag that a rule or a bulk change writes.
pub(super) fn row(machine: Uuid, tag: &str) -> super::entity::tag::ActiveModel {
    super::entity::tag::ActiveModel { machine_id: Set(machine), tag: Set(tag.to_owned()) }
}
