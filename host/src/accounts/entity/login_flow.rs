//! Table `login_flows`.

use sea_orm::entity::prelude::*;

/// A log-in under way.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "login_flows")]
#[allow(missing_docs)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: String,
    pub token_hash: String,
    pub user_id: Option<Uuid>,
    pub sealed: Option<Vec<u8>>,
    pub attempts: i32,
    pub expires_at: ChronoDateTimeUtc,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
