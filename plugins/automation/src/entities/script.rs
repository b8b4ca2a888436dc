//! Table `automation_scripts`: a script of the library.

use sea_orm::entity::prelude::*;

/// A script of the library.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "automation_scripts")]
pub struct Model {
    /// UUID v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Name.
    pub name: String,
    /// What it is for.
    #[sea_orm(column_type = "Text")]
    pub description: String,
    /// Principal that owns it.
    pub owner: String,
    /// Name of the owner.
    pub owner_name: String,
    /// `private`, `some` or `everyone`; whom, in `automation_script_shares`.
    pub sharing: String,
    /// JSON list.
    #[sea_orm(column_type = "Text")]
    pub tags: String,
    /// Interpreter of the newest version, for filters.
    pub interpreter: String,
    /// Whether the newest version is privileged, for filters.
    pub privileged: bool,
    /// Newest version.
    pub latest_version: i32,
    /// When it was archived.
    pub archived_at: Option<DateTimeUtc>,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it or its newest version changed.
    pub updated_at: DateTimeUtc,
}

/// None: rows are joined by hand, so that each statement is plain to read.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
