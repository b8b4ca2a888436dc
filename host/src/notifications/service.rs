//! Sending, listing and marking notifications.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, sea_query::OnConflict,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::entity::{self, reads};
use crate::{
    clock::SharedClock,
    ctx::Ctx,
    db::Db,
    events::{Events, NewEvent},
    http::Page,
    permissions::Registry,
    problem::Problem,
};

const MAX_TITLE_CHARS: usize = 200;
const MAX_BODY_CHARS: usize = 10_000;

/// The service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Notifications {
    db: Db,
    clock: SharedClock,
    events: Events,
    permissions: Registry,
}

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Good to know.
    Info,
    /// Look at it.
    Warning,
    /// Act now.
    Critical,
}

impl Level {
    /// By name; anything unknown is [`Level::Info`].
    pub fn named(name: &str) -> Self {
        match name {
            "critical" => Self::Critical,
            "warning" => Self::Warning,
            _ => Self::Info,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// A notification to send.
#[derive(Debug, Clone)]
pub struct NewNotification {
    /// The one user told; all others are not.
    pub user: Option<Uuid>,
    /// Those who hold it are told; everybody when absent.
    pub permission: Option<String>,
    /// Who sends: `core` or an engine's id.
    pub source: String,
    /// How much it matters.
    pub level: Level,
    /// One line.
    pub title: String,
    /// Text.
    pub body: String,
    /// Path in the console.
    pub link: Option<String>,
}

/// A notification, as its reader sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Notification {
    /// Id; newer ones are greater.
    pub id: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// Who sent it: `core` or an engine's id.
    pub source: String,
    /// How much it matters.
    pub level: Level,
    /// One line.
    pub title: String,
    /// Text.
    pub body: String,
    /// Path in the console.
    pub link: Option<String>,
    /// Whether the reader marked it.
    pub read: bool,
}

impl Notifications {
    /// The service.
    pub fn new(db: Db, clock: SharedClock, events: Events, permissions: Registry) -> Self {
        Self { db, clock, events, permissions }
    }

    /// Send. Texts that are too long are cut.
    pub async fn send(&self, new: NewNotification) -> Result<Uuid, DbErr> {
        let row = entity::ActiveModel {
            id: Set(Uuid::now_v7()),
            at: Set(self.clock.now()),
            user_id: Set(new.user),
            permission: Set(new.permission.clone()),
            source: Set(new.source),
            level: Set(new.level.name().into()),
            title: Set(new.title.chars().take(MAX_TITLE_CHARS).collect()),
            body: Set(new.body.chars().take(MAX_BODY_CHARS).collect()),
            link: Set(new.link),
        };
        let row = row.insert(self.db.write()).await?;
        if new.user.is_none() {
            let permission = new.permission.unwrap_or_else(|| "notifications:read".into());
            let data = serde_json::json!({"id": row.id, "level": row.level, "title": row.title});
            self.events.publish(NewEvent::new("notification.sent", permission, data));
        }
        Ok(row.id)
    }

    /// Those the actor may read, newest first.
    pub async fn list(
        &self,
        ctx: &Ctx,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Page<Notification>, Problem> {
        ctx.require("notifications:read")?;
        let mut query = entity::Entity::find().filter(self.visible(ctx));
        if let Some(after) = after {
            query = query.filter(entity::Column::Id.lt(after));
        }
        let rows = query.order_by_desc(entity::Column::Id).limit(limit + 1).all(self.db.read()).await?;
        let page = Page::cut(rows, limit, |n| n.id.to_string());
        let read = self.marked(ctx, page.items.iter().map(|n| n.id).collect()).await?;
        Ok(page.map(|n| Notification {
            read: read.contains(&n.id),
            id: n.id,
            at: n.at,
            source: n.source,
            level: Level::named(&n.level),
            title: n.title,
            body: n.body,
            link: n.link,
        }))
    }

    /// Mark those of `ids` that the actor may read. Only people have read marks.
    pub async fn mark_read(&self, ctx: &Ctx, ids: &[Uuid]) -> Result<u64, Problem> {
        ctx.require("notifications:read")?;
        let Some(user) = ctx.actor.user_id() else { return Ok(0) };
        let visible = entity::Entity::find()
            .filter(self.visible(ctx))
            .filter(entity::Column::Id.is_in(ids.iter().copied()))
            .all(self.db.read())
            .await?;
        if visible.is_empty() {
            return Ok(0);
        }
        let now = self.clock.now();
        let marks = visible.iter().map(|n| reads::ActiveModel {
            notification_id: Set(n.id),
            user_id: Set(user),
            at: Set(now),
        });
        let again = OnConflict::columns([reads::Column::NotificationId, reads::Column::UserId])
            .do_nothing()
            .to_owned();
        let inserted = reads::Entity::insert_many(marks)
            .on_conflict(again)
            .exec_without_returning(self.db.write())
            .await;
        match inserted {
            Ok(_) | Err(DbErr::RecordNotInserted) => Ok(visible.len() as u64),
            Err(error) => Err(error.into()),
        }
    }

    async fn marked(&self, ctx: &Ctx, ids: Vec<Uuid>) -> Result<BTreeSet<Uuid>, DbErr> {
        let Some(user) = ctx.actor.user_id() else { return Ok(BTreeSet::new()) };
        let marks = reads::Entity::find()
            .filter(reads::Column::UserId.eq(user))
            .filter(reads::Column::NotificationId.is_in(ids))
            .all(self.db.read())
            .await?;
        Ok(marks.into_iter().map(|m| m.notification_id).collect())
    }

    fn visible(&self, ctx: &Ctx) -> Condition {
        let names = self.permissions.names();
        let held = ctx.held(names.iter().map(String::as_str));
        let mine = match ctx.actor.user_id() {
            Some(user) => {
                Condition::any().add(entity::Column::UserId.is_null()).add(entity::Column::UserId.eq(user))
            }
            None => Condition::all().add(entity::Column::UserId.is_null()),
        };
        let allowed = Condition::any()
            .add(entity::Column::Permission.is_null())
            .add(entity::Column::Permission.is_in(held));
        Condition::all().add(mine).add(allowed)
    }
}
