//! Table `automation_script_shares`: a user or role a script is shared with.

use sea_orm::entity::prelude::*;

/// A user or role a script is shared with.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "automation_script_shares")]
pub struct Model {
    /// UUID v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Script.
    pub script_id: Uuid,
    /// `user` or `role`.
    pub kind: String,
    /// `user:<uuid>`, or the role.
    pub name: String,
}

/// None: rows are joined by hand, so that each statement is plain to read.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
