//! Table `operations`.

use sea_orm::entity::prelude::*;

/// One command on many machines.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "operations")]
#[allow(missing_docs)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub command: String,
    pub title: String,
    pub actor: String,
    pub actor_name: String,
    pub request_id: String,
    pub engine_id: Option<String>,
    pub engine_version: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub selector: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub payload: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub secrets: Json,
    pub timeout_s: i32,
    pub concurrency: i32,
    pub total: i32,
    pub idempotency_key: Option<String>,
    pub retry_of: Option<Uuid>,
    pub created_at: ChronoDateTimeUtc,
    pub start_by: ChronoDateTimeUtc,
    pub cancelled_at: Option<ChronoDateTimeUtc>,
    pub finished_at: Option<ChronoDateTimeUtc>,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
