//! Queries. The only file that knows the entity.

use chrono::{DateTime, Utc};
use plugin_sdk::{EngineDb, db::is_unique_violation};
use sea_orm::{PaginatorTrait, QueryOrder, QuerySelect, prelude::*};

use crate::{
    entities::note::{ActiveModel, Column, Entity, Model},
    error::NoteError,
};

/// The engine's tables.
#[derive(Clone)]
pub struct Store {
    db: EngineDb,
}

type Result<T> = std::result::Result<T, NoteError>;

fn named(e: DbErr) -> NoteError {
    if is_unique_violation(&e) { NoteError::TitleTaken } else { e.into() }
}

impl Store {
    pub fn new(db: EngineDb) -> Self {
        Self { db }
    }

    /// Notes after an id, oldest first, and the number of all.
    pub async fn list(&self, after: Option<Uuid>, limit: u64) -> Result<(Vec<Model>, u64)> {
        let mut query = Entity::find().order_by_asc(Column::Id).limit(limit);
        if let Some(after) = after {
            query = query.filter(Column::Id.gt(after));
        }
        Ok((query.all(&self.db).await?, Entity::find().count(&self.db).await?))
    }

    pub async fn all(&self) -> Result<Vec<Model>> {
        Ok(Entity::find().order_by_asc(Column::Id).all(&self.db).await?)
    }

    pub async fn get(&self, id: Uuid) -> Result<Model> {
        Entity::find_by_id(id).one(&self.db).await?.ok_or(NoteError::NotFound(id))
    }

    pub async fn insert(&self, note: Model) -> Result<Model> {
        ActiveModel::from(note).reset_all().insert(&self.db).await.map_err(named)
    }

    pub async fn update(&self, note: Model) -> Result<Model> {
        ActiveModel::from(note).reset_all().update(&self.db).await.map_err(named)
    }

    pub async fn delete(&self, id: Uuid) -> Result<()> {
        let done = Entity::delete_by_id(id).exec(&self.db).await?;
        if done.rows_affected == 0 { Err(NoteError::NotFound(id)) } else { Ok(()) }
    }

    /// Delete done notes not changed since; answers how many.
    pub async fn delete_done_before(&self, at: DateTime<Utc>) -> Result<u64> {
        let old = Entity::delete_many().filter(Column::Done.eq(true)).filter(Column::UpdatedAt.lt(at));
        Ok(old.exec(&self.db).await?.rows_affected)
    }
}

impl Model {
    /// A new note.
    pub fn new(title: String, body: String) -> Self {
        let now = Utc::now();
        Self { id: Uuid::now_v7(), title, body, done: false, created_at: now, updated_at: now }
    }
}
