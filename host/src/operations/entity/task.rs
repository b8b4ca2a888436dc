//! Table `operation_tasks`.

use sea_orm::entity::prelude::*;

/// One machine of an operation.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "operation_tasks")]
#[allow(missing_docs)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub operation_id: Uuid,
    pub machine_id: Uuid,
    pub machine_name: String,
    pub state: String,
    pub attempt: i32,
    pub retry_of: Option<Uuid>,
    pub cancel_requested: bool,
    pub created_at: ChronoDateTimeUtc,
    pub dispatched_at: Option<ChronoDateTimeUtc>,
    pub accepted_at: Option<ChronoDateTimeUtc>,
    pub started_at: Option<ChronoDateTimeUtc>,
    pub finished_at: Option<ChronoDateTimeUtc>,
    pub deadline: Option<ChronoDateTimeUtc>,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub result: Option<Json>,
    pub error_code: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub error_message: Option<String>,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub late_result: Option<Json>,
    pub output_chunks: i64,
    pub output_bytes: i64,
    pub output_truncated: bool,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
