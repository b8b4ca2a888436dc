//! Table `automation_approvals`: an approval asked for one run.

use sea_orm::entity::prelude::*;

/// An approval asked for one run.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "automation_approvals")]
pub struct Model {
    /// UUID v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Run.
    #[sea_orm(unique)]
    pub run_id: Uuid,
    /// Script.
    pub script_id: Uuid,
    /// `pending`, `approved`, `used`, `rejected`, `expired`, `withdrawn` or `invalid`.
    pub state: String,
    /// Digest of all that is approved.
    pub binding: String,
    /// Fingerprint of the version.
    pub fingerprint: String,
    /// Digest of the values.
    pub values_digest: String,
    /// Digest of the targets.
    pub targets_digest: String,
    /// Principal that asks.
    pub requested_by: String,
    /// Name of the principal.
    pub requested_by_name: String,
    /// Why.
    #[sea_orm(column_type = "Text")]
    pub justification: String,
    /// When it was asked.
    pub created_at: DateTimeUtc,
    /// When it lapses.
    pub expires_at: DateTimeUtc,
    /// Principal that decided.
    pub decided_by: Option<String>,
    /// Name of the principal.
    pub decided_by_name: Option<String>,
    /// When it was decided.
    pub decided_at: Option<DateTimeUtc>,
    /// Reason of the decision.
    #[sea_orm(column_type = "Text", nullable)]
    pub reason: Option<String>,
}

/// None: rows are joined by hand, so that each statement is plain to read.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
