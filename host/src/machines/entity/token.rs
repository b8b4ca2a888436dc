//! Table `enrolment_tokens`.

use sea_orm::entity::prelude::*;

/// A token that lets agents ask to join.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "enrolment_tokens")]
#[allow(missing_docs)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub token_hash: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub tags: Json,
    pub auto_approve: bool,
    pub max_uses: Option<i32>,
    pub uses: i32,
    pub created_at: ChronoDateTimeUtc,
    pub created_by: String,
    pub expires_at: ChronoDateTimeUtc,
    pub revoked_at: Option<ChronoDateTimeUtc>,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub approve_networks: Option<Json>,
    pub last_used_at: Option<ChronoDateTimeUtc>,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
