//! Table `invitations`.

use sea_orm::entity::prelude::*;

/// A link that makes one user.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "invitations")]
#[allow(missing_docs)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub token_hash: String,
    pub email: Option<String>,
    pub name: Option<String>,
    pub display_name: Option<String>,
    #[sea_orm(column_type = "JsonBinary")]
    pub roles: Json,
    pub created_by: String,
    pub created_at: ChronoDateTimeUtc,
    pub expires_at: ChronoDateTimeUtc,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
