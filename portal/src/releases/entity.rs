//! Tables of releases.

/// Table `releases`.
pub mod release {
    use sea_orm::entity::prelude::*;

    /// One version of an engine.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "releases")]
    #[allow(missing_docs)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub engine: String,
        pub version: String,
        pub name: String,
        pub description: String,
        pub publisher: String,
        pub tier: String,
        pub entitlement: Option<String>,
        pub channel: String,
        #[sea_orm(column_type = "JsonBinary")]
        pub requires: Json,
        #[sea_orm(column_type = "Text")]
        pub notes: String,
        pub built_at: ChronoDateTimeUtc,
        pub published_at: ChronoDateTimeUtc,
        pub yanked_at: Option<ChronoDateTimeUtc>,
        pub yank_reason: Option<String>,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Table `release_files`.
pub mod file {
    use sea_orm::entity::prelude::*;

    /// The package of a release for one target.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "release_files")]
    #[allow(missing_docs)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub release_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub target: String,
        pub sha256: String,
        pub size: i64,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
