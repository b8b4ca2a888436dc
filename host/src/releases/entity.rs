//! Tables of releases.

/// Table `agent_releases`.
pub mod release {
    use sea_orm::entity::prelude::*;

    /// A program for one target.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "agent_releases")]
    #[allow(missing_docs)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub version: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub target: String,
        pub size: i64,
        pub sha256: String,
        pub program_sha256: String,
        pub program_size: i64,
        pub publisher: String,
        pub built_at: ChronoDateTimeUtc,
        pub added_at: ChronoDateTimeUtc,
        pub added_by: String,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Table `agent_rollouts`.
pub mod rollout {
    use sea_orm::entity::prelude::*;

    /// A version for the machines of a selector.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "agent_rollouts")]
    #[allow(missing_docs)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub version: String,
        #[sea_orm(column_type = "Text")]
        pub selector: String,
        #[sea_orm(column_type = "Text")]
        pub scope: String,
        pub batch_percent: i32,
        pub max_failures: i32,
        pub confirm_within_s: i32,
        pub state: String,
        #[sea_orm(column_type = "Text")]
        pub reason: String,
        #[sea_orm(column_type = "JsonBinary")]
        pub operations: Json,
        pub actor: String,
        pub actor_name: String,
        pub created_at: ChronoDateTimeUtc,
        pub updated_at: ChronoDateTimeUtc,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
