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
        #[sea_orm(column_type = "JsonBinary", nullable)]
        pub asks: Option<Json>,
        #[sea_orm(column_type = "JsonBinary", nullable)]
        pub conformance: Option<Json>,
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

/// Table `screenshots`.
pub mod screenshot {
    use sea_orm::entity::prelude::*;

    /// A picture of an engine.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "screenshots")]
    #[allow(missing_docs)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub engine: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub sha256: String,
        pub kind: String,
        pub caption: String,
        pub width: i32,
        pub height: i32,
        pub size: i64,
        pub added_at: ChronoDateTimeUtc,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Table `download_counts`.
pub mod count {
    use sea_orm::entity::prelude::*;

    /// Downloads of a file on a day.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "download_counts")]
    #[allow(missing_docs)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub day: ChronoDate,
        #[sea_orm(primary_key, auto_increment = false)]
        pub engine: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub version: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub target: String,
        pub count: i64,
    }

    /// None.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
