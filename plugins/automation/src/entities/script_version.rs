//! Table `automation_script_versions`: a version of a script, never changed.

use sea_orm::entity::prelude::*;

/// A version of a script, never changed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "automation_script_versions")]
pub struct Model {
    /// UUID v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Script.
    pub script_id: Uuid,
    /// From 1.
    pub number: i32,
    /// Text.
    #[sea_orm(column_type = "Text")]
    pub content: String,
    /// SHA-256 of the text.
    pub sha256: String,
    /// SHA-256 of everything that changes what it does.
    pub fingerprint: String,
    /// Interpreter.
    pub interpreter: String,
    /// `environment` or `arguments`.
    pub passing: String,
    /// JSON list of parameters.
    #[sea_orm(column_type = "Text")]
    pub parameters: String,
    /// Whether runs need approval.
    pub privileged: bool,
    /// User on the machine.
    pub run_as: Option<String>,
    /// Working directory.
    pub working_directory: Option<String>,
    /// Seconds a run may take; 0 for the setting.
    pub timeout_s: i32,
    /// What changed.
    #[sea_orm(column_type = "Text")]
    pub note: String,
    /// Principal.
    pub created_by: String,
    /// Name of the principal.
    pub created_by_name: String,
    /// When.
    pub created_at: DateTimeUtc,
}

/// None: rows are joined by hand, so that each statement is plain to read.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
