//! Settings: JSON values by owner (an engine's id, or `core`) and key. Which keys an engine has, and of which kind,
//! is in its manifest and checked by the engines slice.

use std::collections::BTreeMap;

use sea_orm::{ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, QueryFilter, sea_query::OnConflict};
use serde_json::Value;

use crate::{
    audit::{Audit, Change},
    clock::SharedClock,
    ctx::Ctx,
    db::Db,
};

mod row {
    //! Table `settings`.
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "settings")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub owner: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub key: String,
        #[sea_orm(column_type = "JsonBinary")]
        pub value: Json,
        pub updated_at: ChronoDateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// The service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Settings {
    db: Db,
    clock: SharedClock,
    audit: Audit,
}

impl Settings {
    /// The service.
    pub fn new(db: Db, clock: SharedClock, audit: Audit) -> Self {
        Self { db, clock, audit }
    }

    /// All values of `owner` that somebody set. The caller authorises: engines read only their own.
    pub async fn all(&self, owner: &str) -> Result<BTreeMap<String, Value>, DbErr> {
        let rows = row::Entity::find().filter(row::Column::Owner.eq(owner)).all(self.db.read()).await?;
        Ok(rows.into_iter().map(|r| (r.key, r.value)).collect())
    }

    /// One value.
    pub async fn get(&self, owner: &str, key: &str) -> Result<Option<Value>, DbErr> {
        let id = (owner.to_owned(), key.to_owned());
        Ok(row::Entity::find_by_id(id).one(self.db.read()).await?.map(|r| r.value))
    }

    /// Set a value, with an audit entry. The caller authorises and checks the value's kind.
    pub async fn set(&self, ctx: &Ctx, owner: &str, key: &str, value: Value) -> Result<(), DbErr> {
        let tx = self.db.begin().await?;
        let id = (owner.to_owned(), key.to_owned());
        let before = row::Entity::find_by_id(id).one(&tx).await?.map(|r| r.value);
        let new = row::ActiveModel {
            owner: Set(owner.into()),
            key: Set(key.into()),
            value: Set(value.clone()),
            updated_at: Set(self.clock.now()),
        };
        let conflict = OnConflict::columns([row::Column::Owner, row::Column::Key])
            .update_columns([row::Column::Value, row::Column::UpdatedAt])
            .to_owned();
        row::Entity::insert(new).on_conflict(conflict).exec_without_returning(&tx).await?;
        let change =
            Change::new("setting.changed", "setting", format!("{owner}.{key}")).before(before).after(value);
        self.audit.record_in(ctx, &tx, change).await?;
        tx.commit().await
    }

    /// Forget every value of `owner`.
    pub async fn delete_owner(&self, owner: &str) -> Result<(), DbErr> {
        row::Entity::delete_many().filter(row::Column::Owner.eq(owner)).exec(self.db.write()).await.map(drop)
    }
}
