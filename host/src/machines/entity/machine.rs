//! Table `machines`.

use sea_orm::entity::prelude::*;

/// A managed computer.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "machines")]
#[allow(missing_docs)]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub state: String,
    pub key_fingerprint: String,
    #[sea_orm(column_type = "VarBinary(StringLen::None)")]
    pub public_key: Vec<u8>,
    pub poll_handle_hash: String,
    pub hostname: String,
    pub os_family: String,
    pub os_id: String,
    pub os_name: String,
    pub os_version: String,
    pub kernel: String,
    pub arch: String,
    pub target: String,
    pub cpus: i32,
    pub memory_bytes: i64,
    pub boot_id: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub addresses: Json,
    pub agent_version: String,
    #[sea_orm(column_type = "Text")]
    pub notes: String,
    pub online: bool,
    pub last_seen_at: Option<ChronoDateTimeUtc>,
    pub last_ip: Option<String>,
    pub enrolment_token_id: Option<Uuid>,
    pub created_at: ChronoDateTimeUtc,
    pub updated_at: ChronoDateTimeUtc,
    pub decided_at: Option<ChronoDateTimeUtc>,
    pub decided_by: Option<String>,
    pub updates: i32,
    pub security_updates: i32,
    pub reboot_required: bool,
    #[sea_orm(column_type = "VarBinary(StringLen::None)", nullable)]
    pub os_version_key: Option<Vec<u8>>,
    #[sea_orm(column_type = "VarBinary(StringLen::None)", nullable)]
    pub agent_version_key: Option<Vec<u8>>,
    pub no: Option<i32>,
    #[sea_orm(column_type = "JsonBinary")]
    pub hardware: Json,
    pub stale_since: Option<ChronoDateTimeUtc>,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
