//! A note.

use sea_orm::entity::prelude::*;

/// Row of `example_notes`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "example_notes")]
pub struct Model {
    /// Id, a UUID v7: rows sort by age.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Title, unique.
    pub title: String,
    /// Text.
    pub body: String,
    /// Whether it is done.
    pub done: bool,
    /// When it was created.
    pub created_at: DateTimeUtc,
    /// When it was last changed.
    pub updated_at: DateTimeUtc,
}

/// No relations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
