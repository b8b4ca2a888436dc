//! Setting, listing, deleting and resolving secrets.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, ModelTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{SecretError, entity};
use crate::{
    audit::{Audit, Change},
    clock::SharedClock,
    ctx::Ctx,
    db::Db,
    http::Page,
    keys::Keys,
};

const MAX_VALUE_BYTES: usize = 65_536;

/// The service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Secrets {
    db: Db,
    keys: Keys,
    clock: SharedClock,
    audit: Audit,
}

/// A secret without its value.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Secret {
    /// Name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When its value was set last.
    pub updated_at: DateTime<Utc>,
}

impl From<entity::Model> for Secret {
    fn from(m: entity::Model) -> Self {
        Self { name: m.name, description: m.description, created_at: m.created_at, updated_at: m.updated_at }
    }
}

impl Secrets {
    /// The service.
    pub fn new(db: Db, keys: Keys, clock: SharedClock, audit: Audit) -> Self {
        Self { db, keys, clock, audit }
    }

    /// Names, in order.
    pub async fn list(
        &self,
        ctx: &Ctx,
        after: Option<String>,
        limit: u64,
    ) -> Result<Page<Secret>, SecretError> {
        ctx.require("secrets:read")?;
        let mut query = entity::Entity::find().order_by_asc(entity::Column::Name).limit(limit + 1);
        if let Some(after) = after {
            query = query.filter(entity::Column::Name.gt(after));
        }
        Ok(Page::cut(query.all(self.db.read()).await?, limit, |s| s.name.clone()).map(Secret::from))
    }

    /// Create or replace.
    pub async fn set(
        &self,
        ctx: &Ctx,
        name: &str,
        description: &str,
        value: &str,
    ) -> Result<Secret, SecretError> {
        ctx.require("secrets:manage")?;
        check_name(name)?;
        if value.is_empty() || value.len() > MAX_VALUE_BYTES {
            return Err(SecretError::BadValue);
        }
        let now = self.clock.now();
        let sealed = self.keys.seal(&place(name), value.as_bytes());
        let tx = self.db.begin().await?;
        let old = entity::Entity::find().filter(entity::Column::Name.eq(name)).one(&tx).await?;
        let action = if old.is_some() { "secret.replaced" } else { "secret.created" };
        let row = match old {
            Some(old) => {
                let mut row = old.into_active_model();
                row.description = Set(description.into());
                row.sealed = Set(sealed);
                row.updated_at = Set(now);
                row.update(&tx).await?
            }
            None => {
                let row = entity::ActiveModel {
                    id: Set(Uuid::now_v7()),
                    name: Set(name.into()),
                    description: Set(description.into()),
                    sealed: Set(sealed),
                    created_at: Set(now),
                    updated_at: Set(now),
                };
                row.insert(&tx).await?
            }
        };
        let secret = Secret::from(row);
        self.audit.record_in(ctx, &tx, Change::new(action, "secret", name).after(&secret)).await?;
        tx.commit().await?;
        Ok(secret)
    }

    /// Delete.
    pub async fn delete(&self, ctx: &Ctx, name: &str) -> Result<(), SecretError> {
        ctx.require("secrets:manage")?;
        let tx = self.db.begin().await?;
        let row = entity::Entity::find().filter(entity::Column::Name.eq(name)).one(&tx).await?;
        let row = row.ok_or(SecretError::NotFound)?;
        let before = Secret::from(row.clone());
        row.delete(&tx).await?;
        self.audit.record_in(ctx, &tx, Change::new("secret.deleted", "secret", name).before(&before)).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The value, for an engine that was granted the capability; the caller checks that. Each read is audited.
    pub async fn resolve(
        &self,
        ctx: &Ctx,
        reader: &str,
        name: &str,
    ) -> Result<Zeroizing<String>, SecretError> {
        let row = entity::Entity::find().filter(entity::Column::Name.eq(name)).one(self.db.read()).await?;
        let row = row.ok_or(SecretError::NotFound)?;
        let plain = self.keys.unseal(&place(name), &row.sealed)?;
        let change = Change::new("secret.read", "secret", name).after(serde_json::json!({"reader": reader}));
        self.audit.record(ctx, change).await?;
        Ok(Zeroizing::new(String::from_utf8_lossy(&plain).into_owned()))
    }
}

fn place(name: &str) -> String {
    format!("secret:{name}")
}

fn check_name(name: &str) -> Result<(), SecretError> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-.".contains(&b);
    let good = (1..=64).contains(&name.len())
        && name.bytes().all(allowed)
        && name.as_bytes()[0].is_ascii_lowercase();
    if good { Ok(()) } else { Err(SecretError::BadName) }
}
