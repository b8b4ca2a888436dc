//! Table `automation_script_changes`: a change of a script.

use sea_orm::entity::prelude::*;

/// A change of a script.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "automation_script_changes")]
pub struct Model {
    /// UUID v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Script.
    pub script_id: Uuid,
    /// Past tense: `created`, `version_added`, `updated`, `shared`, `archived`, `restored`.
    pub action: String,
    /// JSON with what changed.
    #[sea_orm(column_type = "Text")]
    pub detail: String,
    /// Principal.
    pub actor: String,
    /// Name of the principal.
    pub actor_name: String,
    /// When.
    pub created_at: DateTimeUtc,
}

/// None: rows are joined by hand, so that each statement is plain to read.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
